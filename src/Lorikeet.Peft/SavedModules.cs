using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>PEFT's <c>modules_to_save</c>: modules that are trained whole and stored with the adapter.</summary>
internal static class SavedModules
{
    // what PEFT trains along when an adapter is for a classifier, whichever of them the model has
    private static readonly string[] Heads = ["classifier", "score"];

    /// <summary>True where an adapter's task is one whose head is trained along.</summary>
    public static bool TrainsHead(JsonConfig config) => config.TextOrNull("task_type") is "SEQ_CLS" or "TOKEN_CLS";

    /// <summary>Names the heads of classifiers in the configuration, as the reference does; one that is read may name them already.</summary>
    public static void NameHeads(AdapterBuilder builder, PeftMethod method)
    {
        if (!TrainsHead(builder.Config) || !method.Defaults.ContainsKey("modules_to_save"))
            return;
        List<string> names = [.. builder.Config.TextsOrNull("modules_to_save") ?? []];
        if (!builder.Loading)
            names.AddRange(method.IsPromptLearning ? [.. Heads, .. Heads] : Heads); // the reference does it twice there
        else if (!Heads.All(names.Contains))
            names.AddRange(Heads.Except(names));
        else
            return;
        builder.Config.Root["modules_to_save"] = new JsonArray([.. names.Select(name => (JsonNode)name)]);
    }

    /// <summary>Adds the modules that the configuration names.</summary>
    /// <param name="builder">Receives the parts.</param>
    /// <param name="names">Names or ends of names.</param>
    /// <param name="prefix">What their keys begin with.</param>
    public static void Add(AdapterBuilder builder, IEnumerable<string> names, string prefix = AdapterFile.Prefix)
    {
        bool trainsHead = TrainsHead(builder.Config), foundHead = false;
        // two names may mean one module
        HashSet<Module> added = [];
        foreach (string name in names)
        {
            Module[] modules = [.. builder.Model.Modules.Where(module => module is Linear or Embedding or Norm && TargetMatcher.Ends(module.Path, name))];
            bool isHead = trainsHead && Heads.Contains(name);
            foundHead |= isHead && modules.Length > 0;
            if (modules.Length == 0 && !isHead)
                builder.Notes.Add($"modules_to_save: \"{name}\" matches no module");
            foreach (Module module in modules.Where(added.Add))
            {
                if (Ties(builder, module))
                    AddTied(builder, prefix, added);
                else
                    Add(builder, module, prefix + module.Path);
            }
        }
        if (trainsHead && !foundHead)
            builder.Problem($"{builder.Config.Description}: task_type {builder.Config.TextOrNull("task_type")}: the adapter is for a classifier and trains its head; this model is of task {builder.Model.TaskType} and has neither {string.Join(" nor ", Heads)}");
    }

    private static bool Ties(AdapterBuilder builder, Module module) =>
        module == builder.Model.InputEmbedding && builder.IsTied(module) && builder.Config.Flag("ensure_weight_tying", false);

    // one table for both ends of the model, which the file holds twice
    private static void AddTied(AdapterBuilder builder, string prefix, HashSet<Module> added)
    {
        (Embedding table, Linear head) = (builder.Model.InputEmbedding, builder.Model.OutputEmbedding!);
        string headKey = prefix + head.Path + ".weight";
        added.Add(head);
        Parameter own = Swap(builder, prefix + table.Path + ".weight", table.Weight, () => table.Weight, value => table.Weight = head.Weight = value);
        if (builder.Loading)
        {
            Tensor again = builder.Read(headKey, table.Weight.Value.Shape);
            if (!builder.Broken && !again.Values.SequenceEqual(own.Value.Values))
                builder.Problem($"tensor {headKey} differs from {own.Name}, though ensure_weight_tying makes them one");
        }
        builder.AlsoSaved.Add((headKey, own));
    }

    private static void Add(AdapterBuilder builder, Module module, string key)
    {
        switch (module)
        {
            case Linear linear:
                Swap(builder, key + ".weight", linear.Weight, () => linear.Weight, value => linear.Weight = value, builder.IsTied(linear) ? linear.Path + ".weight" : null);
                if (linear.Bias is not null)
                    Swap(builder, key + ".bias", linear.Bias, () => linear.Bias!, value => linear.Bias = value);
                break;
            case Embedding embedding:
                Swap(builder, key + ".weight", embedding.Weight, () => embedding.Weight, value => embedding.Weight = value, builder.IsTied(embedding) ? embedding.Path + ".weight" : null);
                break;
            case Norm norm:
                Swap(builder, key + ".weight", norm.Weight, () => norm.Weight, value => norm.Weight = value);
                if (norm.Bias is not null)
                    Swap(builder, key + ".bias", norm.Bias, () => norm.Bias!, value => norm.Bias = value);
                break;
        }
    }

    private static Parameter Swap(AdapterBuilder builder, string key, Parameter original, Func<Parameter> get, Action<Parameter> set, string? tied = null)
    {
        Parameter own = builder.Parameter(key, original.Value.Shape, (value, _) => value.CopyFrom(original.Value.ToF32()));
        builder.Parts.Add(new SwappedParameter(own, get, set, tied));
        return own;
    }
}
