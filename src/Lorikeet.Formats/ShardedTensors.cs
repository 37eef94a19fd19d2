using System.Text.Json;
using System.Text.Json.Nodes;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>
/// A checkpoint in several files, as an index (<c>model.safetensors.index.json</c>, <c>pytorch_model.bin.index.json</c>) says: its <c>weight_map</c>
/// names the file of each tensor. Tensors that a shard holds beside those of the index are served too.
/// </summary>
public sealed class ShardedTensors : ITensorSource
{
    private readonly List<ITensorSource> _shards;
    private readonly Dictionary<string, ITensorSource> _homes;

    private ShardedTensors(string index, List<ITensorSource> shards, Dictionary<string, ITensorSource> homes, List<string> names)
    {
        Description = index;
        _shards = shards;
        _homes = homes;
        Names = names;
    }

    /// <inheritdoc/>
    public string Description { get; }

    /// <summary>Every name, shard by shard.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Opens an index and all of its shards.</summary>
    /// <exception cref="InputException">With every problem: a shard that is missing or broken, a tensor that is not where the index says.</exception>
    public static ShardedTensors Open(string index)
    {
        JsonConfig config = JsonConfig.Load(index);
        List<string> problems = [];
        Dictionary<string, string> files = WeightMap(config, problems);
        string folder = Path.GetDirectoryName(Path.GetFullPath(index))!;
        List<ITensorSource> shards = [];
        Dictionary<string, ITensorSource> homes = new(StringComparer.Ordinal);
        List<string> names = [];
        try
        {
            foreach (IGrouping<string, string> shard in files.GroupBy(entry => entry.Value, entry => entry.Key).OrderBy(group => group.Key, StringComparer.Ordinal))
            {
                ITensorSource? source = OpenShard(folder, shard.Key, shard.Count(), problems);
                if (source is null)
                    continue;
                shards.Add(source);
                foreach (string name in shard.Where(name => source.Find(name) is null))
                    problems.Add($"tensor \"{name}\" is not in {shard.Key}, where the index says it is");
                foreach (string name in source.Names.Where(name => files.GetValueOrDefault(name, shard.Key) == shard.Key))
                    if (homes.TryAdd(name, source))
                        names.Add(name);
            }
            if (problems.Count > 0)
                throw new InputException($"{index}: the checkpoint is not complete", problems);
            return new ShardedTensors(index, shards, homes, names);
        }
        catch
        {
            shards.ForEach(shard => shard.Dispose());
            throw;
        }
    }

    /// <inheritdoc/>
    public StoredTensor? Find(string name) => _homes.GetValueOrDefault(name)?.Find(name);

    /// <inheritdoc/>
    public void Dispose() => _shards.ForEach(shard => shard.Dispose());

    private static Dictionary<string, string> WeightMap(JsonConfig config, List<string> problems)
    {
        Dictionary<string, string> files = new(StringComparer.Ordinal);
        if (config.Root["weight_map"] is not JsonObject map)
        {
            problems.Add("`weight_map` is missing or not an object; expected { \"tensor name\": \"file name\", … }");
            return files;
        }
        foreach ((string name, JsonNode? value) in map)
        {
            string? file = value?.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;
            if (file is null || file.Length == 0 || Path.GetFileName(file) != file || file.Contains('\\') || file is "." or "..")
                problems.Add($"`weight_map.{name}`: found {value?.ToJsonString() ?? "null"}, expected the name of a file in the same folder");
            else
                files[name] = file;
        }
        return files;
    }

    private static ITensorSource? OpenShard(string folder, string file, int tensors, List<string> problems)
    {
        string path = Path.Combine(folder, file);
        if (!File.Exists(path))
        {
            problems.Add($"{file} is missing; the index puts {tensors} tensor{(tensors == 1 ? "" : "s")} there. Fetch it, or fetch the checkpoint again");
            return null;
        }
        try
        {
            return TensorFiles.Open(path);
        }
        catch (InputException e)
        {
            problems.AddRange(e.Problems.Select(problem => problem.StartsWith(path, StringComparison.Ordinal) ? problem : $"{file}: {problem}"));
            return null;
        }
    }
}
