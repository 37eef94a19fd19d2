namespace Lorikeet.Text;

/// <summary><c>ByteLevel</c>: characters of the byte alphabet back to bytes, bytes to text; broken UTF-8 becomes U+FFFD.</summary>
internal sealed class ByteLevelStage(DecodeStage next) : DecodeStage(next)
{
    private readonly Utf8Assembler _assembler = new();

    public override bool IsPending => _assembler.IsPending;

    public override void Token(string token) => Next!.Part(_assembler.Append(ByteAlphabet.BytesOf(token)));

    public override void Finish()
    {
        Next!.Part(_assembler.Finish());
        Next.EndToken();
        Next.Finish();
    }
}
