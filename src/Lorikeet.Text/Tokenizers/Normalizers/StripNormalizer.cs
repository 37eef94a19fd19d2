namespace Lorikeet.Text;

/// <summary><c>Strip</c>: drops blanks at the begin and at the end.</summary>
internal sealed class StripNormalizer(bool left, bool right) : Normalizer
{
    public override void Apply(AlignedText text)
    {
        ReadOnlySpan<char> all = text.Text;
        int start = 0;
        int end = all.Length;
        while (left && start < end && Characters.IsBlank(all[start]))
            start++;
        while (right && end > start && Characters.IsBlank(all[end - 1]))
            end--;
        if (start == 0 && end == all.Length)
            return;
        TextRewriter rewriter = new(text);
        rewriter.SkipTo(start);
        rewriter.CopyTo(end);
        rewriter.Finish();
    }
}
