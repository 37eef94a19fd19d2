using System.Globalization;
using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Peft;
using Lorikeet.Tensors;

namespace Lorikeet.Inference;

/// <summary>LoRA adapters as one GGUF file, as llama.cpp reads them beside a model: <c>blk.0.attn_q.weight.lora_a</c> and <c>.lora_b</c>, and one alpha for all.</summary>
public static class GgufAdapterFile
{
    private const string A = ".lora_a", B = ".lora_b", End = ".weight";

    // more columns or rows than any layer has
    private const long MostSize = 1 << 26;

    /// <summary>True where a file is a GGUF file that says it holds an adapter.</summary>
    public static bool Holds(string path)
    {
        if (!File.Exists(path) || !GgufDecoder.IsGguf(path))
            return false;
        using GgufFile file = GgufFile.Open(path);
        return file.Metadata.Text("general.type") == "adapter";
    }

    /// <summary>Loads an adapter from a GGUF file or, as <see cref="AdapterFile.Load(Model, string, string)"/> does, from a folder.</summary>
    /// <param name="model">The base.</param>
    /// <param name="path">The file or folder.</param>
    /// <exception cref="InputException">Anything is missing, unmatched, wrongly shaped or not finite.</exception>
    public static Adapter LoadAny(LanguageModel model, string path) =>
        File.Exists(path) && GgufDecoder.IsGguf(path) ? Load(model, path) : AdapterFile.Load(model, path);

    /// <summary>Writes the file, all or nothing.</summary>
    /// <param name="adapter">LoRA on linear layers; rank-stabilised and other scales become part of the file's alpha or of B.</param>
    /// <param name="path">Final place.</param>
    /// <exception cref="InputException">GGUF cannot express the adapter or its model; every reason is listed.</exception>
    public static void Write(Adapter adapter, string path)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        if (adapter.Model is not CausalLm { Backbone: Decoder { Config: { } config } } model)
            throw new InputException("adapters of decoders of the Llama family can be written as GGUF, of other models they cannot");
        List<string> problems = [];
        List<(string Name, LoraLinear Part)> layers = [];
        if (adapter.Method is not LoraMethod)
            problems.Add($"it is {adapter.Method.Type}; llama.cpp reads LoRA alone");
        foreach (AdapterPart part in adapter.Method is LoraMethod ? adapter.Parts : [])
        {
            if (Obstacle(part, model) is { } obstacle)
                problems.Add(obstacle);
            else
                layers.Add((GgufNames.Of(((LoraLinear)part).Layer.Path + ".weight")!, (LoraLinear)part));
        }
        if (problems.Count > 0)
            throw new InputException("the adapter cannot be written as GGUF; merge it and quantise the result instead (`lorikeet merge`, `lorikeet quantize`)", [.. problems.Distinct()]);
        double alpha = Alpha(adapter, layers[0].Part);
        List<KeyValuePair<string, object>> metadata =
        [
            new("general.architecture", GgufNames.Architecture(config)),
            new("general.type", "adapter"),
            new("general.name", adapter.Name),
            new("general.quantization_version", 2u),
            new("adapter.type", "lora"),
            new("adapter.lora.alpha", (float)alpha),
        ];
        List<GgufEntry> tensors = [];
        foreach ((string name, LoraLinear part) in layers)
        {
            // what llama.cpp multiplies by is alpha / rank; B takes the rest
            int rank = part.A.Shape.Rows;
            float share = (float)(alpha / rank) == part.Scale ? 1 : (float)(part.Scale * rank / alpha);
            int? headDim = GgufNames.TurnedHeads(part.Layer.Path + ".weight", config) is null ? null : config.HeadDim;
            tensors.Add(new GgufEntry(name + A, DType.F32, part.A.Shape.ToArray(), stream => part.A.Value.ToF32().Contents.CopyTo(stream)));
            tensors.Add(new GgufEntry(name + B, DType.F32, part.B.Shape.ToArray(), stream => Turned(part.B.Value, headDim, GgufNames.OwnRow, share).Contents.CopyTo(stream)));
        }
        GgufWriter.Write(path, metadata, tensors);
    }

    /// <summary>Reads such a file for a model. It acts once <see cref="Adapter.Attach"/> is called.</summary>
    /// <param name="model">The base.</param>
    /// <param name="path">The file.</param>
    /// <param name="name">What to call it.</param>
    /// <exception cref="InputException">It is no LoRA adapter, or was made for another model; every problem is listed.</exception>
    public static Adapter Load(LanguageModel model, string path, string name = "default")
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model is not CausalLm { Backbone: Decoder { Config: { } config } })
            throw new InputException($"{path}: adapters in GGUF files act on decoders of the Llama family, and this model is a {model.Facts.ModelType}");
        using GgufFile file = GgufFile.Open(path);
        List<string> problems = [];
        // many models say no type
        if ((file.Metadata.Text("general.type") ?? "model") is not "adapter" and var type && !file.Names.Any(tensor => tensor.EndsWith(A, StringComparison.Ordinal)))
            throw new InputException($"{path}: is a {type} (general.type = {type}, and no tensor is an adapter's), and an adapter was expected; give it as the model, and as --adapter a folder or a GGUF file that `lorikeet train` or `lorikeet convert` wrote");
        Expect("general.type", "adapter");
        Expect("adapter.type", "lora");
        Expect("general.architecture", GgufNames.Architecture(config));
        HashSet<string> layers = [.. model.Modules.OfType<Linear>().Select(layer => layer.Path)];
        string[] modules = [.. file.Names.Where(tensor => tensor.EndsWith(A, StringComparison.Ordinal)).Select(tensor => tensor[..^A.Length])];
        HashSet<string> known = [.. modules.SelectMany(module => (string[])[module + A, module + B])];
        problems.AddRange(file.Names.Where(tensor => !known.Contains(tensor)).Select(tensor => $"tensor {tensor} belongs to no pair of .lora_a and .lora_b"));
        problems.AddRange(modules.Where(module => file.Find(module + B) is null).Select(module => $"tensor {module}{B} is missing beside {module}{A}"));
        problems.AddRange(modules.Where(module => module.StartsWith("token_embd.", StringComparison.Ordinal)).Select(module => $"tensor {module}{A}: acts on the table of embeddings, which is not read from GGUF files"));
        problems.AddRange(modules.Where(module => OwnOf(module) is null && !module.StartsWith("token_embd.", StringComparison.Ordinal)).Select(module => $"tensor {module}{A}: {module} is no matrix of the model"));
        problems.AddRange(modules.Where(module => OwnOf(module) is not null).GroupBy(OwnOf).Where(same => same.Skip(1).Any()).Select(same => $"tensors {string.Join(", ", same.Select(module => module + A))} act on the same layer, {same.Key}"));
        problems.AddRange(known.Select(file.Find).OfType<StoredTensor>().Where(tensor => !IsMatrix(tensor)).Select(tensor => $"tensor {tensor.Name} is {tensor.Type} {tensor.ShapeText}, a matrix of real numbers was expected"));
        if (modules.Length == 0)
            problems.Add("it holds no tensor whose name ends in .lora_a");
        double alpha = file.Metadata.Number("adapter.lora.alpha") ?? 0;
        if (!double.IsFinite(alpha))
            problems.Add(string.Create(CultureInfo.InvariantCulture, $"adapter.lora.alpha is {alpha}, a finite number was expected"));
        if (problems.Count > 0)
            throw new InputException($"{path}: the adapter cannot be used", problems);
        Dictionary<string, StoredTensor> tensors = new(StringComparer.Ordinal);
        Dictionary<string, int> ranks = new(StringComparer.Ordinal);
        foreach (string module in modules)
        {
            string own = OwnOf(module)!, hub = own + End;
            int? headDim = GgufNames.TurnedHeads(hub, config) is { } heads && file.Find(module + B)!.Shape[0] == (long)heads * config.HeadDim ? config.HeadDim : null;
            Tensor a = Read(module + A, null), b = Read(module + B, headDim);
            ranks[own] = a.Rows;
            Add(own + ".lora_A.weight", a);
            Add(own + ".lora_B.weight", b);
        }
        return AdapterFile.Load(model, new LoraMethod(), Options(model, ranks, alpha), new Listed(path, tensors), name);

        // null where it is none of the model
        string? OwnOf(string module) => GgufNames.ToHub(module, config.Fused) is var hub && hub.EndsWith(End, StringComparison.Ordinal) && layers.Contains(hub[..^End.Length]) ? hub[..^End.Length] : null;

        void Expect(string key, string value)
        {
            string? found = file.Metadata.Text(key);
            if (found != value)
                problems.Add($"{key} is {(found is null ? "missing" : $"\"{found}\"")}, \"{value}\" was expected{(key == "general.architecture" ? " for this model" : "")}");
        }

        Tensor Read(string tensor, int? headDim)
        {
            StoredTensor stored = file.Find(tensor)!;
            return Turned(Tensor.FromBytes(stored.Bytes, stored.Type, Shape.From(stored.Shape)), headDim, GgufNames.TurnedRow, 1);
        }

        void Add(string key, Tensor value) =>
            tensors.Add(AdapterFile.Prefix + key, new StoredTensor(AdapterFile.Prefix + key, DType.F32, value.Shape.ToArray(), value.Contents));
    }

    private static bool IsMatrix(StoredTensor tensor) => tensor.Shape.Count == 2 && tensor.Shape.All(size => size is > 0 and <= MostSize)
        && (tensor.Type is DType.F32 or DType.BF16 or DType.F16 || BlockFormats.CanDequantize(tensor.Type));

    // llama.cpp takes 1 for alpha / rank where a file says no alpha
    private static JsonObject Options(LanguageModel model, Dictionary<string, int> ranks, double alpha)
    {
        int rank = ranks.Values.GroupBy(r => r).MaxBy(group => group.Count())!.Key;
        KeyValuePair<string, int>[] others = [.. ranks.Where(pair => pair.Value != rank)];
        // short names where they mean the same
        string[] ends = [.. ranks.Keys.Select(path => path[(path.LastIndexOf('.') + 1)..]).Distinct()];
        bool whole = model.Modules.OfType<Linear>().Where(layer => ends.Contains(layer.Path[(layer.Path.LastIndexOf('.') + 1)..])).All(layer => ranks.ContainsKey(layer.Path));
        JsonObject options = new()
        {
            ["r"] = rank,
            ["lora_alpha"] = alpha == 0 ? rank : alpha == Math.Floor(alpha) ? (long)alpha : alpha,
            ["target_modules"] = new JsonArray([.. (whole ? (IEnumerable<string>)ends : ranks.Keys).Order(StringComparer.Ordinal).Select(target => (JsonNode)target)]),
            ["rank_pattern"] = new JsonObject(others.Select(Pair)),
        };
        if (alpha == 0)
            options["alpha_pattern"] = new JsonObject(others.Select(Pair));
        return options;

        static KeyValuePair<string, JsonNode?> Pair(KeyValuePair<string, int> module) => new(module.Key, JsonValue.Create(module.Value));
    }

    private static string? Obstacle(AdapterPart part, CausalLm model) => part switch
    {
        LoraLinear { Bias: not null } lora => $"{lora.Layer.Path} has a bias of the adapter's own (lora_bias)",
        LoraLinear lora when lora.Layer == model.Head && model.Backbone.Tied => $"{lora.Layer.Path} reads the table of embeddings, for which llama.cpp has no LoRA of its own",
        LoraLinear lora when GgufNames.Of(lora.Layer.Path + ".weight") is null => $"{lora.Layer.Path} has no name in GGUF files",
        LoraLinear => null,
        DoraLinear or DoraEmbedding => "it is DoRA (use_dora), which llama.cpp does not compute",
        LoraEmbedding => "it acts on the table of embeddings, which is not written",
        _ => "it trains more than LoRA's matrices: modules_to_save, or the base's biases",
    };

    private static double Alpha(Adapter adapter, LoraLinear first)
    {
        double stated = adapter.Config.Number("lora_alpha", 8);
        int rank = first.A.Shape.Rows;
        return (float)(stated / rank) == first.Scale || first.Scale == 0 ? stated : (double)first.Scale * rank;
    }

    private static Tensor Turned(Tensor value, int? headDim, Func<int, int, int> from, float factor)
    {
        Tensor turned = Tensor.Create(value.Shape);
        for (int row = 0; row < turned.Rows; row++)
        {
            value.ReadRow(headDim is { } dim ? from(row, dim) : row, turned.Row(row));
            for (int i = 0; i < turned.Columns && factor != 1; i++)
                turned.Row(row)[i] *= factor;
        }
        return turned;
    }

    private sealed class Listed(string path, Dictionary<string, StoredTensor> tensors) : ITensorSource
    {
        public string Description => path;

        public IReadOnlyList<string> Names => [.. tensors.Keys];

        public StoredTensor? Find(string name) => tensors.GetValueOrDefault(name);

        public void Dispose() => tensors.Clear();
    }
}
