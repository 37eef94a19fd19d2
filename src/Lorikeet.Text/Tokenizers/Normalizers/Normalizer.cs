namespace Lorikeet.Text;

/// <summary>A step that rewrites a text before it is cut.</summary>
internal abstract class Normalizer
{
    public abstract void Apply(AlignedText text);
}
