namespace Lorikeet.Text;

/// <summary>A step that cuts a text into the pieces that the model sees one by one.</summary>
internal abstract class PreTokenizer
{
    public abstract void Apply(PreTokenizedText text);
}
