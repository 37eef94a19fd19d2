using System.Globalization;
using System.Text.Json.Nodes;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>Writes a checkpoint as transformers lays it out: <c>model.safetensors</c>, or numbered shards and their index where it is large.</summary>
public static class SafetensorsFolder
{
    /// <summary>Where one file ends and the next begins, unless told otherwise: 5 GB.</summary>
    public const long DefaultShardBytes = 5_000_000_000;

    /// <summary>
    /// Writes all tensors into a folder. Shards are filled in the order given, a tensor larger than a shard gets its own. Each file is written all or
    /// nothing; for the folder as a whole use <see cref="AtomicFolder"/>.
    /// </summary>
    /// <param name="folder">The folder, made where it is missing.</param>
    /// <param name="tensors">In the order of the model.</param>
    /// <param name="shardBytes">Most bytes of tensors in one file.</param>
    /// <exception cref="InputException">The folder cannot be written.</exception>
    public static void Write(string folder, IReadOnlyList<SafetensorsEntry> tensors, long shardBytes = DefaultShardBytes)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        List<List<SafetensorsEntry>> shards = Split(tensors, shardBytes);
        if (shards.Count == 1)
        {
            SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), shards[0], SafetensorsWriter.TorchFormat);
            return;
        }
        JsonObject map = [];
        for (int i = 0; i < shards.Count; i++)
        {
            string file = string.Create(CultureInfo.InvariantCulture, $"model-{i + 1:00000}-of-{shards.Count:00000}.safetensors");
            SafetensorsWriter.Write(Path.Combine(folder, file), shards[i], SafetensorsWriter.TorchFormat);
            foreach (SafetensorsEntry tensor in shards[i])
                map[tensor.Name] = file;
        }
        JsonObject metadata = new()
        {
            ["total_parameters"] = tensors.Sum(tensor => tensor.Shape.Aggregate(1L, (product, size) => product * size)),
            ["total_size"] = tensors.Sum(tensor => tensor.Bytes),
        };
        JsonObject index = new() { ["metadata"] = metadata, ["weight_map"] = map };
        AtomicFile.WriteText(Path.Combine(folder, "model.safetensors.index.json"), PythonJson.Write(index, JsonStyle.ModelConfig));
    }

    private static List<List<SafetensorsEntry>> Split(IReadOnlyList<SafetensorsEntry> tensors, long shardBytes)
    {
        List<List<SafetensorsEntry>> shards = [[]];
        long filled = 0;
        foreach (SafetensorsEntry tensor in tensors)
        {
            if (shards[^1].Count > 0 && filled + tensor.Bytes > shardBytes)
            {
                shards.Add([]);
                filled = 0;
            }
            shards[^1].Add(tensor);
            filled += tensor.Bytes;
        }
        return shards;
    }
}
