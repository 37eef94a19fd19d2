using System.Buffers.Binary;
using System.Text;

namespace Lorikeet.Text.Tests;

/// <summary>Writes <c>tokenizer.model</c> files for tests.</summary>
internal static class SentencePieceBytes
{
    /// <summary>A BPE model of the usual reserved pieces and some more.</summary>
    public static byte[] Bpe(params (string Text, float Score, int Type)[] pieces) => Model(modelType: 2, [("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3), .. pieces]);

    public static byte[] Model(int modelType, (string Text, float Score, int Type)[] pieces)
    {
        List<byte> bytes = [];
        foreach ((string text, float score, int type) in pieces)
        {
            byte[] number = new byte[4];
            BinaryPrimitives.WriteSingleLittleEndian(number, score);
            bytes.AddRange(Field(1, [.. Field(1, Encoding.UTF8.GetBytes(text)), 0x15, .. number, 0x18, (byte)type]));
        }
        bytes.AddRange(Field(2, [0x18, (byte)modelType]));
        bytes.AddRange(Field(3, [0x18, 1, 0x20, 0]));
        return [.. bytes];
    }

    /// <summary>A field of bytes.</summary>
    public static byte[] Field(int number, byte[] content)
    {
        List<byte> bytes = [(byte)(number << 3 | 2)];
        int length = content.Length;
        for (; length >= 0x80; length >>= 7)
            bytes.Add((byte)(length | 0x80));
        bytes.Add((byte)length);
        return [.. bytes, .. content];
    }
}
