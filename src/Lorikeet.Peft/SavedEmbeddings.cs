using Lorikeet.Nn;

namespace Lorikeet.Peft;

/// <summary>
/// PEFT's habit of storing whole embedding matrices beside an adapter that targets them (<c>save_embedding_layers="auto"</c>): they are the
/// base's own, unless the vocabulary was changed.
/// </summary>
internal static class SavedEmbeddings
{
    /// <summary>Reads the matrices of a file, or notes that they are to be written.</summary>
    public static void Add(AdapterBuilder builder, IReadOnlyList<Module> targets)
    {
        foreach (Module module in builder.Model.Modules)
        {
            bool ofTokens = module == builder.Model.InputEmbedding || module == builder.Model.OutputEmbedding;
            if (module is not Embedding && !ofTokens)
                continue;
            bool wrapped = targets.Contains(module);
            string key = AdapterFile.Prefix + module.Path + (wrapped ? ".base_layer.weight" : ".weight");
            if (builder.Loading ? !builder.Has(key) || builder.Parameters.Any(parameter => parameter.Name == key) || builder.AlsoSaved.Any(also => also.Key == key) : !wrapped || !ofTokens)
                continue;
            Parameter original = module is Embedding e ? e.Weight : ((Linear)module).Weight;
            Parameter stored = original;
            if (builder.Loading)
            {
                stored = new Parameter(key, builder.Read(key, original.Value.Shape));
                if (!builder.Broken && !stored.Value.Values.SequenceEqual(original.Value.ToSingles()))
                {
                    string? tied = builder.IsTied(module) ? module.Path + ".weight" : null;
                    builder.Parts.Insert(0, module is Embedding embedding
                        ? new SwappedParameter(stored, () => embedding.Weight, value => embedding.Weight = value, tied)
                        : new SwappedParameter(stored, () => ((Linear)module).Weight, value => ((Linear)module).Weight = value, tied));
                }
            }
            builder.AlsoSaved.Add((key, stored));
        }
    }
}
