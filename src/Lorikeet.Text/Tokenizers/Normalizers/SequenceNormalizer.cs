namespace Lorikeet.Text;

/// <summary><c>Sequence</c>: one normalizer after the other.</summary>
internal sealed class SequenceNormalizer(Normalizer[] steps) : Normalizer
{
    public override void Apply(AlignedText text)
    {
        foreach (Normalizer step in steps)
            step.Apply(text);
    }
}
