using System.Buffers.Binary;
using System.Text;

namespace Lorikeet.Text;

/// <summary>
/// Reads the <c>tokenizer.bin</c> of llama2.c: the length of the longest token, then for each token its score, length and bytes, blanks
/// written as blanks. The first three tokens are unknown, begin and end of the sequence.
/// </summary>
internal static class Llama2cTokenizer
{
    /// <summary>Makes the tokenizer of a file.</summary>
    /// <exception cref="TokenizerException">The file is absent or broken.</exception>
    public static Tokenizer Load(string path) => SentencePieceTokenizer.Alone(Read(TokenizerFiles.ReadAll(path), path));

    private static SentencePieceModel Read(ReadOnlySpan<byte> bytes, string path)
    {
        ProblemList problems = new(path);
        List<SentencePiece> pieces = [];
        int at = 4;
        while (at < bytes.Length)
        {
            if (bytes.Length - at < 8)
                throw new TokenizerException(path, $"byte {at}: the file ends within a token; is this a tokenizer of llama2.c?");
            float score = BinaryPrimitives.ReadSingleLittleEndian(bytes[at..]);
            int length = BinaryPrimitives.ReadInt32LittleEndian(bytes[(at + 4)..]);
            at += 8;
            if (length < 0 || length > bytes.Length - at)
                throw new TokenizerException(path, $"byte {at - 4}: a token of {length} bytes, but {bytes.Length - at} are left; is this a tokenizer of llama2.c?");
            pieces.Add(Piece(pieces.Count, Encoding.UTF8.GetString(bytes.Slice(at, length)), score));
            at += length;
        }
        SentencePieceModel model = new()
        {
            Pieces = [.. pieces],
            ByteFallback = true,
            RemoveExtraWhitespaces = false,
            UnknownId = 0,
            BosId = 1,
            EosId = 2,
        };
        SentencePieceFile.Check(model, problems);
        problems.ThrowIfAny();
        return model;
    }

    private static SentencePiece Piece(int id, string text, float score) => id switch
    {
        0 => new(text, score, PieceType.Unknown),
        1 or 2 => new(text.Trim('\n'), score, PieceType.Control),
        _ when ByteFallbackStage.TryParse(text, out _) => new(text, score, PieceType.Byte),
        _ => new(text.Replace(' ', SentencePieceModel.Mark), score, PieceType.Normal),
    };
}
