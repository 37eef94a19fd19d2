namespace Lorikeet.Text;

/// <summary>
/// The names that one scope reads and sets, found before any of it runs, as Jinja does: a name that a scope sets is the scope's own
/// everywhere inside it, and starts out with the value of the scope around it (or of the request) when it was read first or is set on some
/// branches only. Each round of a loop is a scope of its own.
/// </summary>
internal sealed class Scope
{
    private readonly Scope? _parent;
    private readonly List<string> _globals;
    private readonly Dictionary<string, Variable> _variables = [];
    private Dictionary<string, Origin> _names = [];
    private HashSet<string> _stores = [];

    public Scope(List<string> globals)
    {
        _globals = globals;
        Function = new FunctionLayout(0);
    }

    public Scope(Scope parent, FunctionLayout function)
    {
        _parent = parent;
        _globals = parent._globals;
        Function = function;
    }

    /// <summary>Where a name's value comes from when the scope is entered.</summary>
    private enum Origin
    {
        Request,
        Outer,
        Nothing,
        Parameter,
    }

    public FunctionLayout Function { get; }

    public void Load(string name)
    {
        if (!_names.ContainsKey(name) && _parent?.Find(name) is null)
            _names[name] = Origin.Request;
    }

    public void Store(string name)
    {
        _stores.Add(name);
        if (!_names.ContainsKey(name))
            _names[name] = _parent?.Find(name) is null ? Origin.Nothing : Origin.Outer;
    }

    public void Declare(string name)
    {
        _stores.Add(name);
        _names[name] = Origin.Parameter;
    }

    /// <summary>Collects branches of which one will run: a name that not all of them set keeps the value it had.</summary>
    public void Branch(params ReadOnlySpan<Action> branches)
    {
        Dictionary<string, Origin> names = _names;
        HashSet<string> stores = _stores;
        List<(Dictionary<string, Origin> Names, HashSet<string> Stores)> outcomes = [];
        foreach (Action branch in branches)
        {
            (_names, _stores) = (new Dictionary<string, Origin>(names), [.. stores]);
            branch();
            outcomes.Add((_names, _stores));
        }
        HashSet<string> partial = [];
        foreach ((_, HashSet<string> set) in outcomes)
        {
            foreach (string name in set)
            {
                if (!stores.Contains(name) && !outcomes.TrueForAll(o => o.Stores.Contains(name)))
                    partial.Add(name);
            }
        }
        (_names, _stores) = (names, stores);
        foreach ((Dictionary<string, Origin> seen, HashSet<string> set) in outcomes)
        {
            foreach ((string name, Origin origin) in seen)
                _names[name] = origin;
            _stores.UnionWith(set);
        }
        foreach (string name in partial)
            _names[name] = _parent?.Find(name) is null ? Origin.Request : Origin.Outer;
    }

    /// <summary>Ends the collecting: gives every name its place, and says what entering the scope has to set.</summary>
    public ScopeEntry Seal()
    {
        List<ScopeEntry.Initialiser> initialisers = [];
        foreach ((string name, Origin origin) in _names)
        {
            if (origin == Origin.Request && !_stores.Contains(name))
            {
                _variables[name] = new Variable(null, Global(name));
                continue;
            }
            int slot = Function.NewSlot();
            Variable? source = origin switch
            {
                Origin.Request => new Variable(null, Global(name)),
                Origin.Outer => _parent!.Find(name),
                _ => null,
            };
            _variables[name] = new Variable(Function, slot);
            if (origin != Origin.Parameter)
                initialisers.Add(new ScopeEntry.Initialiser(slot, source, source?.Function is null ? 0 : Function.Depth - source.Function.Depth));
        }
        return new ScopeEntry([.. initialisers]);
    }

    /// <summary>Where a name lies, seen from a sealed scope.</summary>
    public Variable? Find(string name) => _variables.TryGetValue(name, out Variable? variable) ? variable : _parent?.Find(name);

    /// <summary>The number of a variable of the request.</summary>
    public int Global(string name)
    {
        int at = _globals.IndexOf(name);
        if (at >= 0)
            return at;
        _globals.Add(name);
        return _globals.Count - 1;
    }
}
