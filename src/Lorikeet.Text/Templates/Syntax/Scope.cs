namespace Lorikeet.Text;

/// <summary>
/// The names that one scope reads and sets, found before any of it runs, as Jinja does: a name that a scope sets is the scope's own
/// everywhere inside it, and starts out with the value of the scope around it (or of the request) when it was read first or is set on some
/// branches only. Each round of a loop is a scope of its own.
/// </summary>
internal sealed class Scope
{
    private readonly Scope? _parent;
    private readonly GlobalNames _globals;
    private readonly Dictionary<string, Variable> _variables = [];
    private readonly Dictionary<string, Origin> _names = [];
    private readonly HashSet<string> _stores = [];

    // What has changed, in order, so that a branch can be taken back.
    private readonly List<(string Name, Origin? Before)> _named = [];
    private readonly List<string> _stored = [];

    public Scope(GlobalNames globals)
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
            Name(name, Origin.Request);
    }

    public void Store(string name)
    {
        Stored(name);
        if (!_names.ContainsKey(name))
            Name(name, _parent?.Find(name) is null ? Origin.Nothing : Origin.Outer);
    }

    public void Declare(string name)
    {
        Stored(name);
        Name(name, Origin.Parameter);
    }

    /// <summary>Collects branches of which one will run: a name that not all of them set keeps the value it had.</summary>
    public void Branch(params ReadOnlySpan<Action> branches)
    {
        Dictionary<string, Origin> names = [];
        Dictionary<string, int> stores = [];
        foreach (Action branch in branches)
        {
            int named = _named.Count, stored = _stored.Count;
            branch();
            for (int i = named; i < _named.Count; i++)
                names[_named[i].Name] = _names[_named[i].Name];
            for (int i = stored; i < _stored.Count; i++)
                stores[_stored[i]] = stores.GetValueOrDefault(_stored[i]) + 1;
            TakeBack(named, stored);
        }
        foreach ((string name, Origin origin) in names)
            Name(name, origin);
        foreach ((string name, int count) in stores)
        {
            Stored(name);
            if (count < branches.Length)
                Name(name, _parent?.Find(name) is null ? Origin.Request : Origin.Outer);
        }
    }

    /// <summary>Ends the collecting: gives every name its place, and says what entering the scope has to set.</summary>
    public ScopeEntry Seal()
    {
        List<ScopeEntry.Initialiser> initialisers = [];
        foreach ((string name, Origin origin) in _names)
        {
            if (origin == Origin.Request && !_stores.Contains(name))
            {
                _variables[name] = new Variable(null, _globals.NumberOf(name));
                continue;
            }
            int slot = Function.NewSlot();
            Variable? source = origin switch
            {
                Origin.Request => new Variable(null, _globals.NumberOf(name)),
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
    public int Global(string name) => _globals.NumberOf(name);

    private void Name(string name, Origin origin)
    {
        _named.Add((name, _names.TryGetValue(name, out Origin before) ? before : null));
        _names[name] = origin;
    }

    private void Stored(string name)
    {
        if (_stores.Add(name))
            _stored.Add(name);
    }

    private void TakeBack(int named, int stored)
    {
        for (int i = _named.Count - 1; i >= named; i--)
        {
            (string name, Origin? before) = _named[i];
            if (before is { } origin)
                _names[name] = origin;
            else
                _names.Remove(name);
        }
        _named.RemoveRange(named, _named.Count - named);
        for (int i = stored; i < _stored.Count; i++)
            _stores.Remove(_stored[i]);
        _stored.RemoveRange(stored, _stored.Count - stored);
    }
}
