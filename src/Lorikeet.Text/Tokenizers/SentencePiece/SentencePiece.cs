namespace Lorikeet.Text;

/// <summary>One entry of a SentencePiece vocabulary.</summary>
/// <param name="Text">How it is spelled, blanks as U+2581.</param>
/// <param name="Score">Log-probability (Unigram) or rank of its merge, the higher the earlier (BPE).</param>
/// <param name="Type">What it is for.</param>
internal readonly record struct SentencePiece(string Text, float Score, PieceType Type);
