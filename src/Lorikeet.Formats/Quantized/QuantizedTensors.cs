using System.Text.Json;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>
/// A checkpoint whose weights are stored in several tensors each (bitsandbytes, GPTQ, AWQ), seen as one tensor for each weight, in a block format
/// that products read in place. Everything is checked when it is opened; a weight is put together when it is asked for.
/// </summary>
public sealed class QuantizedTensors : ITensorSource
{
    private readonly ITensorSource _source;
    private readonly Dictionary<string, PackedWeight> _weights;
    private readonly Dictionary<string, StoredTensor> _made = new(StringComparer.Ordinal);

    private QuantizedTensors(ITensorSource source, List<PackedWeight> weights, List<string> remarks)
    {
        _source = source;
        _weights = weights.ToDictionary(weight => weight.Name, StringComparer.Ordinal);
        Remarks = remarks;
        HashSet<string> parts = [.. weights.SelectMany(weight => weight.Parts)];
        Names = [.. source.Names.Where(name => !parts.Contains(name)), .. _weights.Keys];
    }

    /// <inheritdoc/>
    public string Description => _source.Description;

    /// <inheritdoc/>
    public IReadOnlyList<string> Names { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Remarks { get; }

    /// <summary>How many numbers all weights hold together, however many tensors each is stored in.</summary>
    public long Elements => Names.Sum(name => _weights.TryGetValue(name, out PackedWeight? weight) ? weight.Elements : _source.Find(name)!.Elements);

    /// <summary>Looks for packed weights in a checkpoint.</summary>
    /// <param name="source">The checkpoint; it belongs to what is returned, and is closed where this throws.</param>
    /// <param name="config"><c>quantization_config</c> of <c>config.json</c>, or null where there is none.</param>
    /// <param name="configFile">What messages call that file.</param>
    /// <returns>The checkpoint itself where it holds none.</returns>
    /// <exception cref="InputException">Parts are missing or damaged, or packed in a way that is not known; all problems are listed.</exception>
    public static ITensorSource Wrap(ITensorSource source, JsonElement? config, string configFile)
    {
        ArgumentNullException.ThrowIfNull(source);
        try
        {
            return Read(source, config, configFile);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    private static ITensorSource Read(ITensorSource source, JsonElement? config, string configFile)
    {
        List<string> problems = [], remarks = [];
        List<PackedWeight> weights = [];
        string? method = config is { ValueKind: JsonValueKind.Object } stated && stated.TryGetProperty("quant_method", out JsonElement name) ? name.ToString() : null;
        if (method is not (null or "bitsandbytes" or "gptq" or "awq"))
            problems.Add($"{configFile}: quantization_config.quant_method is \"{method}\"; bitsandbytes, gptq and awq are read. Convert the model, or take one that is not quantised");
        else if (method is "gptq" or "awq")
            weights.AddRange(new GroupedWeights(source, config!.Value, method == "awq", configFile, problems, remarks).Find());
        else if (source.Names.FirstOrDefault(tensor => tensor.EndsWith(".qweight", StringComparison.Ordinal)) is { } packed)
            problems.Add($"{configFile}: quantization_config is missing; tensor {packed} is packed as it would say (quant_method gptq or awq, bits, group_size)");
        else
            weights.AddRange(new BitsandbytesWeights(source, problems, remarks).Find());
        if (problems.Count > 0)
            throw new InputException($"{source.Description}: the quantised weights cannot be read", problems);
        return weights.Count == 0 ? source : new QuantizedTensors(source, weights, remarks);
    }

    /// <inheritdoc/>
    public StoredTensor? Find(string name)
    {
        if (!_weights.TryGetValue(name, out PackedWeight? weight))
            return _source.Find(name);
        if (!_made.TryGetValue(name, out StoredTensor? made))
        {
            _made.Add(name, made = weight.Make());
            foreach (string part in weight.Parts)
                _source.Find(part)?.Bytes.Release();
        }
        return made;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _made.Clear();
        _source.Dispose();
    }
}
