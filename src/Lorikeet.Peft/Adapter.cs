using Lorikeet.Formats;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>An adapter that belongs to a model: its configuration, its parameters, and the parts that act on the model's places.</summary>
public sealed class Adapter
{
    private readonly List<AdapterPart> _parts;
    private bool _merged;

    internal Adapter(Model model, PeftMethod method, JsonConfig config, string name, List<AdapterPart> parts, List<Parameter> parameters,
        List<(string Key, Parameter Value)> alsoSaved, List<string> notes)
    {
        Model = model;
        Method = method;
        Config = config;
        Name = name;
        _parts = parts;
        Parameters = parameters;
        AlsoSaved = alsoSaved;
        Notes = notes;
    }

    /// <summary>The model that it was made for.</summary>
    public Model Model { get; }

    /// <summary>Its method.</summary>
    public PeftMethod Method { get; }

    /// <summary>What <c>adapter_config.json</c> holds.</summary>
    public JsonConfig Config { get; }

    /// <summary>The file that the configuration was read from, or null.</summary>
    internal JsonConfig? Stored { get; init; }

    /// <summary>What people call it; <c>default</c> unless they chose.</summary>
    public string Name { get; }

    /// <summary>Everything that training changes, under the names of the adapter file.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>Tensors of the base that the file holds too: embeddings that the adapter acts on.</summary>
    public IReadOnlyList<(string Key, Parameter Value)> AlsoSaved { get; }

    /// <summary>What somebody should know: keys that are not understood and kept, targets that match nothing.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>The parts, in the order of the model.</summary>
    public IReadOnlyList<AdapterPart> Parts => _parts;

    /// <summary>True while it acts.</summary>
    public bool Attached { get; private set; }

    /// <summary>Why it cannot be merged, or null where it can.</summary>
    public string? MergeObstacle => _parts.Select(part => part.MergeObstacle).FirstOrDefault(obstacle => obstacle is not null);

    /// <summary>Numbers that training changes.</summary>
    public long TrainableCount => Parameters.Sum(parameter => parameter.Value.Shape.Elements);

    /// <summary>Starts to act.</summary>
    /// <exception cref="InputException">It cannot act together with an adapter that acts already; nothing changes.</exception>
    public void Attach()
    {
        if (Attached || _merged)
            return;
        int attached = 0;
        try
        {
            for (; attached < _parts.Count; attached++)
                _parts[attached].Attach();
        }
        catch
        {
            while (attached > 0)
                _parts[--attached].Detach();
            throw;
        }
        Attached = true;
    }

    /// <summary>Stops acting: the model computes exactly what it did before.</summary>
    public void Detach()
    {
        if (!Attached)
            return;
        foreach (AdapterPart part in Enumerable.Reverse(_parts))
            part.Detach();
        Attached = false;
    }

    /// <summary>Makes it part of the model's weights.</summary>
    /// <exception cref="InputException">The method changes more than weights.</exception>
    public void Merge()
    {
        if (_merged)
            return;
        if (MergeObstacle is { } obstacle)
            throw new InputException($"adapter {Name} ({Method.Type}) cannot be merged: {obstacle}. Serve it unmerged");
        Attach();
        foreach (AdapterPart part in _parts)
            part.Merge();
        (_merged, Attached) = (true, false);
    }

    /// <summary>Puts the model's former weights back, bit for bit, and acts again.</summary>
    /// <exception cref="InvalidOperationException">Another adapter was merged since; nothing changes.</exception>
    public void Unmerge()
    {
        if (!_merged)
            return;
        // two parts may have changed one weight, a bias that is brought along and added to: the later one counts
        foreach (IGrouping<Parameter, MergedWeight> weight in _parts.SelectMany(part => part.MergedWeights).GroupBy(merged => merged.Parameter))
        {
            if (!weight.Last().IsCurrent)
                throw new InvalidOperationException($"adapter {Name} cannot be taken out of the weights: {weight.Key.Name} was replaced since. Take out what was merged later first");
        }
        foreach (AdapterPart part in Enumerable.Reverse(_parts))
            part.Unmerge();
        (_merged, Attached) = (false, true);
    }

    /// <summary>Marks its parameters as those to train, and nothing else of the model.</summary>
    public void Train()
    {
        Model.SetTrainable(false);
        foreach (Parameter parameter in Parameters)
            parameter.Trainable = true;
    }
}
