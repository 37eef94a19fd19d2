using Lorikeet.Nn;

namespace Lorikeet.Peft;

/// <summary>PEFT's <c>bias</c> option: biases of the base that an adapter brings along.</summary>
internal static class TrainedBiases
{
    /// <summary>Adds the biases that the option names.</summary>
    /// <param name="builder">Receives the parts.</param>
    /// <param name="option">none, all, or the method's own word for the biases of its targets.</param>
    /// <param name="onlyName">That word.</param>
    /// <param name="targets">What the method acts on.</param>
    /// <param name="matcher">Says which modules are trained whole, bias and all.</param>
    public static void Add(AdapterBuilder builder, string option, string onlyName, IReadOnlyList<Module> targets, TargetMatcher matcher)
    {
        if (option == "none")
            return;
        if (option != "all" && option != onlyName)
        {
            builder.Config.Report("bias", $"none, all or {onlyName} was expected, found \"{option}\"");
            return;
        }
        HashSet<Module> wrapped = [.. targets];
        foreach (Module module in builder.Model.Modules)
        {
            Parameter? bias = module switch { Linear linear => linear.Bias, Norm norm => norm.Bias, _ => null };
            if (bias is null || matcher.IsSaved(module) || (option != "all" && !wrapped.Contains(module)))
                continue;
            string key = AdapterFile.Prefix + module.Path + (wrapped.Contains(module) ? ".base_layer.bias" : ".bias");
            Parameter own = builder.Parameter(key, bias.Value.Shape, (value, _) => value.CopyFrom(bias.Value.ToF32()));
            // beneath the parts that act on the same module: they read the bias that is there
            builder.Parts.Insert(0, new SwappedParameter(own, () => module is Linear linear ? linear.Bias! : ((Norm)module).Bias!, value =>
            {
                if (module is Linear layer)
                    layer.Bias = value;
                else
                    ((Norm)module).Bias = value;
            }));
        }
    }
}
