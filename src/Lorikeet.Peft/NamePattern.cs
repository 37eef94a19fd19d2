using System.Text.RegularExpressions;
using Lorikeet.Formats;

namespace Lorikeet.Peft;

/// <summary>
/// A regular expression of a configuration that a module's whole name must match. One that is none, or that takes too long, is reported once
/// under its field and matches nothing from then on.
/// </summary>
internal sealed class NamePattern
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly JsonConfig _config;
    private readonly string _field, _shown;
    private Regex? _regex;

    /// <summary>The expression as it stands in the configuration.</summary>
    public NamePattern(JsonConfig config, string field, string pattern) : this(config, field, pattern, pattern) { }

    /// <summary>An expression made of one in the configuration, which messages show.</summary>
    public NamePattern(JsonConfig config, string field, string shown, string pattern)
    {
        (_config, _field, _shown) = (config, field, shown);
        string whole = $"^(?:{pattern})$";
        try
        {
            try
            {
                _regex = new Regex(whole, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
            }
            catch (NotSupportedException)
            {
                _regex = new Regex(whole, RegexOptions.CultureInvariant, Patience);
            }
        }
        catch (ArgumentException)
        {
            _config.Report(_field, $"\"{_shown}\" is no regular expression");
        }
    }

    /// <summary>True where the whole name matches.</summary>
    public bool IsMatch(string name) => Match(name) is { Success: true };

    /// <summary>What a group holds where the whole name matches; null where it does not.</summary>
    public string? Group(string name, string group) => Match(name) is { Success: true } match ? match.Groups[group].Value : null;

    private Match? Match(string name)
    {
        try
        {
            return _regex?.Match(name);
        }
        catch (RegexMatchTimeoutException)
        {
            _config.Report(_field, $"\"{_shown}\" takes too long on {name}: write it without repetitions inside repetitions");
            _regex = null;
            return null;
        }
    }
}
