namespace Lorikeet.Text;

/// <summary>Gathers what is wrong with a tokenizer's files, so that all of it is reported at once.</summary>
internal sealed class ProblemList(string source)
{
    /// <summary>More problems than this are counted, not listed: a file of another kind would otherwise fill pages.</summary>
    private const int Listed = 20;

    private readonly List<string> _problems = [];
    private int _more;

    /// <summary>The file or folder that is being read.</summary>
    public string Source { get; } = source;

    public bool Any => _problems.Count > 0;

    public void Add(string problem)
    {
        if (_problems.Count < Listed)
            _problems.Add(problem);
        else
            _more++;
    }

    /// <summary>Throws if there were problems.</summary>
    /// <exception cref="TokenizerException">There were.</exception>
    public void ThrowIfAny()
    {
        if (_more > 0)
            _problems.Add($"and {_more} more");
        _more = 0;
        if (Any)
            throw new TokenizerException(Source, _problems);
    }
}
