using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>
/// Where the hub is and how to speak to it. The environment variables are the hub's own (Hugging Face Hub documentation, "Environment
/// variables"), so a machine that is set up for other programs is set up for this one.
/// </summary>
public sealed class HubOptions
{
    /// <summary>The server's address. <c>HF_ENDPOINT</c>.</summary>
    public Uri Endpoint { get; init; } = new("https://huggingface.co");

    /// <summary>The folder of <c>models--org--name</c> folders. <c>HF_HUB_CACHE</c>, <c>$HF_HOME/hub</c> or <c>~/.cache/huggingface/hub</c>.</summary>
    public string CacheFolder { get; init; } = DefaultCacheFolder(Environment.GetEnvironmentVariable);

    /// <summary>A secret that opens private and gated repositories; sent to <see cref="Endpoint"/> alone and never shown. <c>HF_TOKEN</c> or the token file.</summary>
    public string? Token { get; init; }

    /// <summary>True: answer from the cache, open no connection. <c>HF_HUB_OFFLINE</c>.</summary>
    public bool Offline { get; init; }

    /// <summary>How many times in a row something is tried that fails without any progress; at least 1.</summary>
    public int Attempts { get; init; } = 5;

    /// <summary>How many files are fetched at the same time; at least 1.</summary>
    public int Connections { get; init; } = 4;

    /// <summary>A connection that brings no byte for this long counts as broken.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Waits between two attempts; a test puts its own clock here.</summary>
    internal Func<TimeSpan, CancellationToken, Task> Wait { get; init; } = Task.Delay;

    /// <summary>What carries requests in place of the network; null for the network.</summary>
    internal HttpMessageHandler? Carrier { get; init; }

    /// <summary>Free bytes for a folder; null where the system does not tell.</summary>
    internal Func<string, long?> FreeSpace { get; init; } = WriteFailure.FreeSpace;

    /// <summary>False: behave as on a file system without symbolic links.</summary>
    internal bool SymbolicLinks { get; init; } = true;

    /// <summary>Reads the hub's environment variables and token file.</summary>
    /// <param name="variable">Reads a variable; the process's own environment where null.</param>
    /// <exception cref="InputException">Variables hold what cannot be used; all of them are named.</exception>
    public static HubOptions FromEnvironment(Func<string, string?>? variable = null)
    {
        variable ??= Environment.GetEnvironmentVariable;
        List<string> problems = [];

        string endpoint = Value(variable, "HF_ENDPOINT") ?? "https://huggingface.co";
        if (!Uri.TryCreate(endpoint, UriKind.Absolute, out Uri? address) || address.Scheme is not ("https" or "http"))
            problems.Add($"HF_ENDPOINT is '{endpoint}'; expected an address such as https://huggingface.co");

        string? token = null;
        try
        {
            token = ReadToken(variable);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            problems.Add($"the token file cannot be read: {error.Message}");
        }
        if (token is not null && token.Any(character => character is <= ' ' or > '~'))
            problems.Add("the token (HF_TOKEN or the token file) holds spaces, line breaks or characters that no token has; log in again or correct it");

        if (problems.Count > 0)
            throw new InputException("the settings for the hub cannot be used", problems);
        return new HubOptions
        {
            Endpoint = address!,
            CacheFolder = DefaultCacheFolder(variable),
            Token = token,
            Offline = IsTrue(variable("HF_HUB_OFFLINE")) || IsTrue(variable("TRANSFORMERS_OFFLINE")),
        };
    }

    /// <summary>The cache folder that the hub's own client would use.</summary>
    /// <param name="variable">Reads an environment variable.</param>
    internal static string DefaultCacheFolder(Func<string, string?> variable) =>
        Value(variable, "HF_HUB_CACHE") is { } cache ? ExpandHome(cache, variable)
        : Value(variable, "HUGGINGFACE_HUB_CACHE") is { } legacy ? ExpandHome(legacy, variable)
        : Path.Combine(HomeOfHub(variable), "hub");

    private static string HomeOfHub(Func<string, string?> variable) =>
        Value(variable, "HF_HOME") is { } home ? ExpandHome(home, variable)
        : Path.Combine(ExpandHome(Value(variable, "XDG_CACHE_HOME") ?? Path.Combine(Home(variable), ".cache"), variable), "huggingface");

    private static string? ReadToken(Func<string, string?> variable)
    {
        if ((Value(variable, "HF_TOKEN") ?? Value(variable, "HUGGING_FACE_HUB_TOKEN")) is { } token)
            return token.Trim();
        string file = Value(variable, "HF_TOKEN_PATH") is { } path ? ExpandHome(path, variable) : Path.Combine(HomeOfHub(variable), "token");
        string text = File.Exists(file) ? File.ReadAllText(file).Trim() : "";
        return text.Length > 0 ? text : null;
    }

    private static string? Value(Func<string, string?> variable, string name) => variable(name) is { } text && !string.IsNullOrWhiteSpace(text) ? text.Trim() : null;

    private static bool IsTrue(string? text) => text?.ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE";

    private static string ExpandHome(string path, Func<string, string?> variable) =>
        path == "~" || path.StartsWith("~/", StringComparison.Ordinal) ? Path.Combine(Home(variable), path.Length > 2 ? path[2..] : "") : path;

    private static string Home(Func<string, string?> variable) =>
        variable("HOME") is { Length: > 0 } home ? home : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
}
