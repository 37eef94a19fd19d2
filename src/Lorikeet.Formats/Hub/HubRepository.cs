using System.Text.RegularExpressions;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>What a repository of the hub holds; it decides the address and the name of the cache folder.</summary>
public enum HubRepositoryKind
{
    /// <summary>A model or an adapter: <c>/org/name</c>, <c>models--org--name</c>.</summary>
    Model,

    /// <summary>A dataset: <c>/datasets/org/name</c>, <c>datasets--org--name</c>.</summary>
    Dataset,
}

/// <summary>A repository of the hub at one revision.</summary>
public sealed partial record HubRepository
{
    private HubRepository(HubRepositoryKind kind, string id, string revision) => (Kind, Id, Revision) = (kind, id, revision);

    /// <summary>Model or dataset.</summary>
    public HubRepositoryKind Kind { get; }

    /// <summary><c>org/name</c>, or a bare <c>name</c> for the oldest repositories.</summary>
    public string Id { get; }

    /// <summary>A branch, a tag, <c>refs/pr/1</c> or a commit of 40 hexadecimal digits.</summary>
    public string Revision { get; }

    /// <summary>True where the revision is a commit, which can never move.</summary>
    public bool IsPinned => IsCommit(Revision);

    /// <summary>The folder of this repository in the cache: <c>models--org--name</c>.</summary>
    public string CacheFolderName => $"{Plural}--{Id.Replace("/", "--", StringComparison.Ordinal)}";

    /// <summary>The path of the page and of the files, below the endpoint: <c>org/name</c> or <c>datasets/org/name</c>.</summary>
    public string UrlPath => Kind == HubRepositoryKind.Model ? Id : $"{Plural}/{Id}";

    /// <summary>The path that describes the repository, below the endpoint: <c>api/models/org/name</c>.</summary>
    internal string ApiPath => $"api/{Plural}/{Id}";

    private string Plural => Kind == HubRepositoryKind.Model ? "models" : "datasets";

    /// <summary>Reads <c>org/name</c>, <c>org/name@revision</c> and <c>datasets/org/name@revision</c>.</summary>
    /// <exception cref="InputException">The text is no such name; every reason is listed.</exception>
    public static HubRepository Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int at = text.IndexOf('@', StringComparison.Ordinal);
        return at < 0 ? Create(text) : Create(text[..at], text[(at + 1)..]);
    }

    /// <summary>A repository by name and revision; <paramref name="id"/> may begin with <c>datasets/</c>.</summary>
    /// <exception cref="InputException">Name or revision cannot be one of the hub's; every reason is listed.</exception>
    public static HubRepository Create(string id, string revision = "main")
    {
        ArgumentNullException.ThrowIfNull(id);
        ArgumentNullException.ThrowIfNull(revision);
        bool dataset = id.StartsWith("datasets/", StringComparison.Ordinal);
        string name = dataset ? id["datasets/".Length..] : id;
        List<string> problems = [];
        if (name.Contains("://", StringComparison.Ordinal))
            problems.Add($"'{name}' is an address; give the repository alone, such as org/name, and another server by HF_ENDPOINT");
        else if (!Name().IsMatch(name) || name.Contains("--", StringComparison.Ordinal) || name.Contains("..", StringComparison.Ordinal))
            problems.Add($"'{name}' is not the name of a repository; expected org/name of letters, digits, '-', '_' and '.', without '--' or '..'");
        if (!IsRevision(revision))
            problems.Add($"'{revision}' is not a revision; expected a branch, a tag or a commit of 40 hexadecimal digits");
        return problems.Count == 0
            ? new HubRepository(dataset ? HubRepositoryKind.Dataset : HubRepositoryKind.Model, name, revision)
            : throw new InputException($"no repository of the hub: '{id}' at '{revision}'", problems);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{UrlPath}@{Revision}";

    /// <summary>True for a full commit id: 40 hexadecimal digits, or 64 where a repository counts in SHA-256.</summary>
    internal static bool IsCommit(string text) => text.Length is 40 or 64 && text.All(char.IsAsciiHexDigitLower);

    private static bool IsRevision(string text) =>
        RevisionText().IsMatch(text) && !text.Contains("..", StringComparison.Ordinal) && !text.Contains("//", StringComparison.Ordinal) &&
        !text.EndsWith('/') && !text.EndsWith(".lock", StringComparison.Ordinal) && text.Split('/').All(part => part[0] != '.');

    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,95})?\z")]
    private static partial Regex Name();

    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9._/+=-]{0,250}\z")]
    private static partial Regex RevisionText();
}
