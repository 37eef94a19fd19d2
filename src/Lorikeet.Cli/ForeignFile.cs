namespace Lorikeet.Cli;

/// <summary>Files of other kinds, by how they begin, so that an error can say what somebody has in hand.</summary>
internal static class ForeignFile
{
    /// <summary>What is read instead.</summary>
    public const string Known = "safetensors, GGUF and torch's files (.bin, .pt, .pth, .ckpt, .tar); tokenizers (tokenizer.json, tokenizer.model, vocab.json, vocab.txt, tokenizer.bin); folders of models, adapters and checkpoints";

    /// <summary>What it is, with its article; null for what may be readable.</summary>
    public static string? Describe(string path)
    {
        Span<byte> head = stackalloc byte[64];
        try
        {
            using FileStream stream = File.OpenRead(path);
            head = head[..stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // whoever reads it says why
        }
        return head switch
        {
            [] => "an empty file",
            [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', ..] => "an array of NumPy",
            [(byte)'P', (byte)'K', 3, 4, ..] when head.IndexOf(".npy"u8) > 0 => "an archive of NumPy arrays",
            [0x89, (byte)'H', (byte)'D', (byte)'F', ..] => "an HDF5 file",
            [0x1F, 0x8B, ..] => "a gzip archive",
            [0x28, 0xB5, 0x2F, 0xFD, ..] => "a zstd archive",
            [(byte)'P', (byte)'A', (byte)'R', (byte)'1', ..] => "a Parquet file",
            [(byte)'A', (byte)'R', (byte)'R', (byte)'O', (byte)'W', (byte)'1', ..] => "an Arrow file",
            [(byte)'g', (byte)'g', (byte)'m', (byte)'l', ..] or [(byte)'l', (byte)'m', (byte)'g', (byte)'g', ..] or [(byte)'t', (byte)'j', (byte)'g', (byte)'g', ..] => "a file of ggml's older formats",
            [(byte)'%', (byte)'P', (byte)'D', (byte)'F', ..] => "a PDF document",
            [0x7F, (byte)'E', (byte)'L', (byte)'F', ..] => "a program",
            _ => null,
        };
    }
}
