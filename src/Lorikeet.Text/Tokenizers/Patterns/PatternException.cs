namespace Lorikeet.Text;

/// <summary>A regular expression is broken or uses what the tokenizer's engine does not know.</summary>
internal sealed class PatternException(string message) : FormatException(message);
