namespace Lorikeet.Text;

/// <summary>A token that is looked for in the text before the model cuts it, such as <c>&lt;|im_start|&gt;</c>.</summary>
/// <param name="Id">Its number in the vocabulary.</param>
/// <param name="Content">The text that stands for it.</param>
/// <param name="SingleWord">Matches only where no word character touches it.</param>
/// <param name="StripLeft">Swallows the blanks before it.</param>
/// <param name="StripRight">Swallows the blanks after it.</param>
/// <param name="Normalized">Looked for in the normalised text (its content normalised likewise) instead of the original.</param>
/// <param name="Special">Left out when a text is decoded without special tokens.</param>
public sealed record AddedToken(
    int Id, string Content, bool SingleWord = false, bool StripLeft = false, bool StripRight = false, bool Normalized = false, bool Special = true);
