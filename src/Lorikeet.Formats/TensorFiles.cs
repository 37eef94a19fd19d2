using System.Buffers.Binary;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>Opens whatever holds tensors: a file of any known format, told by its contents, or a folder of a checkpoint.</summary>
public static class TensorFiles
{
    /// <summary>In the order in which transformers looks for them.</summary>
    private static readonly string[] Checkpoints =
    [
        "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json",
    ];

    /// <summary>Opens a file (safetensors, GGUF, torch pickle, or an index of shards) or the checkpoint in a folder.</summary>
    /// <exception cref="InputException">There is nothing to open, or it is broken; the message holds every problem.</exception>
    public static ITensorSource Open(string path)
    {
        if (Directory.Exists(path))
            return Open(InFolder(path));
        if (path.EndsWith(".index.json", StringComparison.Ordinal))
            return ShardedTensors.Open(path);

        byte[] head = Head(path);
        if (GgufFile.Recognizes(head))
            return GgufFile.Open(path);
        // before torch: the length of a header may well begin like a pickle (0x80 0x02 is 640)
        if (head.Length > 8 && head[8] == '{' && BinaryPrimitives.ReadInt64LittleEndian(head) is > 0 and <= SafetensorsHeader.LongestHeader)
            return SafetensorsFile.Open(path);
        if (TorchPickleFile.Recognizes(head))
            return TorchPickleFile.Open(path);
        if (path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) || (head.Length > 8 && head[8] == '{'))
            return SafetensorsFile.Open(path);
        throw new InputException($"{path}: is neither a safetensors file, nor a GGUF file, nor one that torch saved");
    }

    /// <summary>Whether a file begins as one of those that <see cref="Open"/> reads, damaged or not.</summary>
    /// <exception cref="InputException">It cannot be read.</exception>
    public static bool Recognizes(string path)
    {
        byte[] head = Head(path);
        return path.EndsWith(".index.json", StringComparison.Ordinal) || path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase)
            || GgufFile.Recognizes(head) || TorchPickleFile.Recognizes(head) || (head.Length > 8 && head[8] == '{');
    }

    private static string InFolder(string folder)
    {
        foreach (string name in Checkpoints)
        {
            string path = Path.Combine(folder, name);
            if (File.Exists(path))
                return path;
        }
        string[] lone = [.. Directory.GetFiles(folder, "*.safetensors"), .. Directory.GetFiles(folder, "*.gguf")];
        return lone switch
        {
            [string only] => only,
            [] => throw new InputException($"{folder}: holds no checkpoint; expected one of {string.Join(", ", Checkpoints)}, or a GGUF file"),
            _ => throw new InputException($"{folder}: holds {lone.Length} files of tensors and no index; name the one that you mean: {string.Join(", ", lone.Select(Path.GetFileName))}"),
        };
    }

    private static byte[] Head(string path)
    {
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            byte[] head = new byte[512];
            return head[..stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(File.Exists(path) ? $"{path}: cannot be read ({e.Message})" : $"{path}: there is no such file or folder", e);
        }
    }
}
