namespace Lorikeet.Text;

/// <summary>The pipeline of <c>tokenizer.json</c>: normalise, look for normalised added tokens, cut into pieces, model.</summary>
internal sealed class PieceEncoder : SectionEncoder
{
    private readonly Normalizer? _normalizer;
    private readonly AddedTokenMatcher _normalizedTokens;
    private readonly PreTokenizer[] _preTokenizers;
    private readonly TokenModel _model;

    /// <summary>Puts the steps together.</summary>
    /// <param name="normalizer">Rewrites the text, or null.</param>
    /// <param name="preTokenizers">Cut it, in order.</param>
    /// <param name="model">Turns pieces into tokens.</param>
    /// <param name="addedTokens">All added tokens; those marked as normalised are looked for here.</param>
    public PieceEncoder(Normalizer? normalizer, PreTokenizer[] preTokenizers, TokenModel model, IEnumerable<AddedToken> addedTokens)
    {
        _normalizer = normalizer;
        _preTokenizers = preTokenizers;
        _model = model;
        _normalizedTokens = new(addedTokens.Where(t => t.Normalized).Select(t => (t, Normalize(normalizer, t.Content))));
    }

    public override Vocabulary Vocabulary => _model.Vocabulary;

    /// <summary>A text after a normalizer.</summary>
    public static string Normalize(Normalizer? normalizer, string text)
    {
        if (normalizer is null || text.Length == 0)
            return text;
        AlignedText aligned = new(text, 0, text.Length);
        normalizer.Apply(aligned);
        return aligned.Text.ToString();
    }

    public override void Encode(string text, int start, int end, TokenBuffer tokens)
    {
        AlignedText aligned = new(text, start, end);
        _normalizer?.Apply(aligned);
        if (_normalizedTokens.IsEmpty)
        {
            EncodePieces(aligned, 0, aligned.Length, tokens);
            return;
        }
        List<(int Start, int End, AddedToken? Token)> stretches = [];
        _normalizedTokens.Split(aligned.Text, 0, aligned.Length, stretches);
        foreach ((int from, int to, AddedToken? token) in stretches)
        {
            if (token is null)
            {
                EncodePieces(aligned, from, to, tokens);
                continue;
            }
            tokens.BeginPiece(aligned, 0);
            tokens.AddInPiece(token.Id, from, to);
            ReadOnlySpan<char> matched = aligned.Text[from..to];
            if (!matched.SequenceEqual(token.Content))
                tokens.SetText(matched.ToString());
        }
    }

    private void EncodePieces(AlignedText text, int start, int end, TokenBuffer tokens)
    {
        if (start == end)
            return;
        // a pre-tokenizer may rewrite the text, which must not disturb the stretches after this one
        AlignedText own = _preTokenizers.Length == 0 || (start == 0 && end == text.Length) ? text : text.Slice(start, end);
        int shift = ReferenceEquals(own, text) ? start : 0;
        PreTokenizedText pieces = PreTokenizedText.Rent(own, shift, shift + end - start);
        foreach (PreTokenizer step in _preTokenizers)
            step.Apply(pieces);
        ReadOnlySpan<char> all = own.Text;
        foreach ((int from, int to) in pieces.Pieces)
        {
            tokens.BeginPiece(own, from);
            _model.Encode(all[from..to], tokens);
        }
        pieces.Return();
    }
}
