using System.Runtime.CompilerServices;
using Lorikeet.Nn;

namespace Lorikeet.Peft;

/// <summary>
/// A whole weight of a module that an adapter brings along: while it acts, the module reads the adapter's. Of several on one module the last one
/// to come acts; they may leave in any order.
/// </summary>
internal sealed class SwappedParameter : AdapterPart
{
    // whose weight it is that stands in a module, so that one beneath can leave
    private static readonly ConditionalWeakTable<Parameter, SwappedParameter> Owners = [];

    private readonly Parameter _own;
    private readonly Func<Parameter> _get;
    private readonly Action<Parameter> _set;
    private readonly string? _tied;
    private Parameter? _former;
    private MergedWeight? _merged;

    /// <summary>Replaces what <paramref name="get"/> reads.</summary>
    /// <param name="own">The adapter's.</param>
    /// <param name="get">Reads the module's.</param>
    /// <param name="set">Sets the module's.</param>
    /// <param name="tied">
    /// What the module's weight is called once it is its own, where another module reads the same weight of the base (a tied head): a merge leaves the
    /// other one as it is, as PEFT's does. Null where the weight is the module's alone.
    /// </param>
    public SwappedParameter(Parameter own, Func<Parameter> get, Action<Parameter> set, string? tied = null)
    {
        _own = own;
        _get = get;
        _set = set;
        _tied = tied;
        Owners.Add(own, this);
    }

    public override string? MergeObstacle => null;

    internal override IEnumerable<MergedWeight> MergedWeights => _merged is null ? [] : [_merged];

    public override void Attach()
    {
        _former = _get();
        _set(_own);
    }

    public override void Detach()
    {
        if (_get() == _own)
        {
            _set(_former!);
        }
        else
        {
            SwappedParameter above = OwnerOf(_get());
            while (above._former != _own)
                above = OwnerOf(above._former);
            above._former = _former;
        }
        _former = null;
    }

    public override void Merge()
    {
        Detach();
        if (_tied is not null)
        {
            _former = _get();
            _set(new Parameter(_tied, _own.Value.ToF32()) { StoredType = _former.StoredType });
            return;
        }
        _merged = new MergedWeight(_get(), _own.Value.ToF32());
    }

    public override void Unmerge()
    {
        if (_tied is not null)
            _set(_former!);
        _merged?.Undo();
        _merged = null;
        Attach();
    }

    private SwappedParameter OwnerOf(Parameter? weight) =>
        weight is not null && Owners.TryGetValue(weight, out SwappedParameter? owner) ? owner : throw new InvalidOperationException($"{_own.Name} does not stand in its module");
}
