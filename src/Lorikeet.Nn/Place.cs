using Lorikeet.Tensors;

namespace Lorikeet.Nn;

/// <summary>A place of a model where adapters may act. Without one it is the plain computation and costs nothing more.</summary>
/// <typeparam name="TPlace">The place itself.</typeparam>
/// <typeparam name="TInput">What it is given.</typeparam>
public abstract class Place<TPlace, TInput> : Module where TPlace : Place<TPlace, TInput>
{
    private IAdapter<TPlace, TInput>[] _adapters = [];

    /// <summary>A place of this path.</summary>
    protected Place(Weights weights) : base(weights) { }

    /// <summary>The adapters on this place, the innermost first.</summary>
    public IReadOnlyList<IAdapter<TPlace, TInput>> Adapters => _adapters;

    /// <summary>What the model computes without adapters.</summary>
    public abstract Tensor Plain(TInput input, Step step);

    /// <summary>What the model computes here, adapters included.</summary>
    public Tensor Forward(TInput input, Step step) =>
        _adapters.Length == 0 ? Plain(input, step) : _adapters[^1].Forward((TPlace)this, input, step);

    /// <summary>What lies beneath an adapter: the next one inwards, or the plain computation.</summary>
    public Tensor Beneath(IAdapter<TPlace, TInput> adapter, TInput input, Step step)
    {
        int index = Array.IndexOf(_adapters, adapter);
        return index <= 0 ? Plain(input, step) : _adapters[index - 1].Forward((TPlace)this, input, step);
    }

    /// <summary>True where only the plain computation lies beneath an adapter, so that it may be fused with it.</summary>
    public bool IsInnermost(IAdapter<TPlace, TInput> adapter) => _adapters.Length > 0 && _adapters[0] == adapter;

    /// <summary>Puts an adapter on top.</summary>
    /// <exception cref="InvalidOperationException">It is there already.</exception>
    public void Attach(IAdapter<TPlace, TInput> adapter)
    {
        if (_adapters.Contains(adapter))
            throw new InvalidOperationException($"{this} has {adapter} already");
        _adapters = [.. _adapters, adapter];
    }

    /// <summary>Takes an adapter away.</summary>
    public void Detach(IAdapter<TPlace, TInput> adapter) => _adapters = [.. _adapters.Where(other => other != adapter)];
}
