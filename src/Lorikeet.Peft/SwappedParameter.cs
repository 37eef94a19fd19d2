using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>A whole weight of a module that an adapter brings along: while it acts, the module reads the adapter's.</summary>
internal sealed class SwappedParameter : AdapterPart
{
    private readonly Parameter _own;
    private readonly Func<Parameter> _get;
    private readonly Action<Parameter> _set;
    private readonly bool _shared;
    private Parameter? _former;
    private Tensor? _formerValue;

    /// <summary>Replaces what <paramref name="get"/> reads.</summary>
    /// <param name="own">The adapter's.</param>
    /// <param name="get">Reads the module's.</param>
    /// <param name="set">Sets the module's.</param>
    /// <param name="shared">True where other modules read the same weight of the base (a tied head), so that a merge would change them too.</param>
    public SwappedParameter(Parameter own, Func<Parameter> get, Action<Parameter> set, bool shared = false)
    {
        _own = own;
        _get = get;
        _set = set;
        _shared = shared;
    }

    public override string? MergeObstacle => _shared ? $"{_own.Name} replaces one use of a weight that the base uses twice" : null;

    public override void Attach()
    {
        _former = _get();
        _set(_own);
    }

    public override void Detach()
    {
        _set(_former!);
        _former = null;
    }

    public override void Merge()
    {
        Detach();
        _formerValue = _get().Value;
        _get().Replace(_own.Value.ToF32());
    }

    public override void Unmerge()
    {
        _get().Replace(_formerValue!);
        _formerValue = null;
        Attach();
    }
}
