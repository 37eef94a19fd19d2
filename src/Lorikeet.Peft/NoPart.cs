namespace Lorikeet.Peft;

/// <summary>Stands where a part could not be made; the builder reports why and no adapter comes of it.</summary>
internal sealed class NoPart : AdapterPart
{
    public override void Attach() { }

    public override void Detach() { }
}
