using Lorikeet.Nn;

namespace Lorikeet.Peft;

/// <summary>PEFT's <c>modules_to_save</c>: modules that are trained whole and stored with the adapter.</summary>
internal static class SavedModules
{
    /// <summary>Adds the modules that the configuration names.</summary>
    public static void Add(AdapterBuilder builder, TargetMatcher matcher)
    {
        foreach (string name in matcher.Saved)
        {
            Module[] modules = [.. builder.Model.Modules.Where(module => module is Linear or Embedding or Norm && TargetMatcher.Ends(module.Path, name))];
            if (modules.Length == 0)
                builder.Notes.Add($"modules_to_save: \"{name}\" matches no module");
            foreach (Module module in modules)
                Add(builder, module, AdapterFile.Prefix + module.Path);
        }
    }

    private static void Add(AdapterBuilder builder, Module module, string key)
    {
        switch (module)
        {
            case Linear linear:
                bool tied = builder.Model.InputEmbedding.Weight == linear.Weight;
                Swap(builder, key + ".weight", linear.Weight, () => linear.Weight, value => linear.Weight = value, tied);
                if (linear.Bias is not null)
                    Swap(builder, key + ".bias", linear.Bias, () => linear.Bias!, value => linear.Bias = value, false);
                break;
            case Embedding embedding:
                bool shared = builder.Model.OutputEmbedding?.Weight == embedding.Weight;
                Swap(builder, key + ".weight", embedding.Weight, () => embedding.Weight, value => embedding.Weight = value, shared);
                break;
            case Norm norm:
                Swap(builder, key + ".weight", norm.Weight, () => norm.Weight, value => norm.Weight = value, false);
                if (norm.Bias is not null)
                    Swap(builder, key + ".bias", norm.Bias, () => norm.Bias!, value => norm.Bias = value, false);
                break;
        }
    }

    private static void Swap(AdapterBuilder builder, string key, Parameter original, Func<Parameter> get, Action<Parameter> set, bool shared)
    {
        Parameter own = builder.Parameter(key, original.Value.Shape, (value, _) => value.CopyFrom(original.Value.ToF32()));
        builder.Parts.Add(new SwappedParameter(own, get, set, shared));
    }
}
