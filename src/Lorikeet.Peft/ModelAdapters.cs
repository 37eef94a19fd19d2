using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>Adapters as something that a model has.</summary>
public static class ModelAdapters
{
    /// <summary>
    /// Puts a new LoRA adapter on a model: it acts, its parameters are those to train, and all else is frozen. Save it with
    /// <see cref="AdapterFile.Save"/>.
    /// </summary>
    /// <param name="model">The base; its weights are not changed.</param>
    /// <param name="options">What it is like.</param>
    /// <param name="seed">Decides the initial values.</param>
    /// <param name="name">What to call it.</param>
    /// <exception cref="InputException">An option has no sense for this model; all are listed.</exception>
    public static Adapter AddAdapter(this Model model, LoraOptions options, int seed = 0, string name = "default")
    {
        ArgumentNullException.ThrowIfNull(options);
        Adapter adapter = AdapterFile.Create(model, new LoraMethod(), options.ToJson(), seed, name, nameof(LoraOptions));
        adapter.Attach();
        adapter.Train();
        return adapter;
    }

    /// <summary>Puts the adapter of a folder on a model, to act and not to be trained.</summary>
    /// <exception cref="InputException">It does not fit; every problem is listed.</exception>
    public static Adapter AddAdapter(this Model model, string folder, string name = "default")
    {
        Adapter adapter = AdapterFile.Load(model, folder, name);
        adapter.Attach();
        return adapter;
    }
}
