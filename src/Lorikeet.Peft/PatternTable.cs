using System.Text.Json.Nodes;
using Lorikeet.Formats;

namespace Lorikeet.Peft;

/// <summary>Numbers for some modules: an object of a configuration with a regular expression of names as each key (<c>rank_pattern</c>, <c>alpha_pattern</c>).</summary>
internal sealed class PatternTable
{
    private readonly List<(NamePattern Pattern, double Value)> _entries = [];

    /// <summary>Reads the field; problems are reported to the configuration.</summary>
    public PatternTable(JsonConfig config, string field)
    {
        if (config.Section(field) is not { } section)
            return;
        foreach ((string key, JsonNode? _) in section.Root)
            _entries.Add((new NamePattern(config, field, key, $@"(.*\.)?({key})"), section.Number(key)));
    }

    /// <summary>The value of the first entry that fits a module.</summary>
    public double? Of(string path)
    {
        foreach ((NamePattern pattern, double value) in _entries)
        {
            if (pattern.IsMatch(path))
                return value;
        }
        return null;
    }
}
