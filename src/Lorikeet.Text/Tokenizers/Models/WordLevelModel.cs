namespace Lorikeet.Text;

/// <summary><c>WordLevel</c>: each piece is one token or unknown.</summary>
internal sealed class WordLevelModel(Vocabulary vocabulary, int unknownId) : TokenModel(vocabulary)
{
    public override void Encode(ReadOnlySpan<char> piece, TokenBuffer tokens)
    {
        int id = Vocabulary.IdOf(piece);
        if (id < 0)
            id = unknownId;
        if (id < 0)
            throw new TokenizerException("model.unk_token", $"the text \"{piece}\" is no token, and the model names no unknown token");
        tokens.AddInPiece(id, 0, piece.Length);
    }
}
