using System.CommandLine;
using System.CommandLine.Parsing;
using Lorikeet.Formats;

namespace Lorikeet.Cli;

/// <summary>Options whose value is one of some names, written in any case; whoever reads them gets the name as it stands here.</summary>
internal static class Choices
{
    // more would make the first column of the help wider than a terminal
    private const int MostInHelp = 6;

    /// <summary>Takes one of these names; an option of several values takes one each time.</summary>
    public static void AcceptOneOf<T>(this Option<T> option, params IReadOnlyList<string> names) where T : class?
    {
        option.CustomParser = result =>
        {
            string[] read = [.. result.Tokens.Select(token => Read(result, token.Value, option.Name, names))];
            return (T)(typeof(T) == typeof(string[]) ? (object)read : read[0]);
        };
        Describe(option, names);
    }

    private static string Read(ArgumentResult result, string found, string option, IReadOnlyList<string> names)
    {
        if (names.FirstOrDefault(name => name.Equals(found, StringComparison.OrdinalIgnoreCase)) is { } known)
            return known;
        string near = NearestName.Of(found, names) is { } name ? $". Did you mean {name}?" : "";
        result.AddError($"{option} {found}: one of {string.Join(", ", names)} was expected{near}");
        return found;
    }

    private static void Describe(Option option, IReadOnlyList<string> names)
    {
        option.CompletionSources.Add([.. names]);
        if (names.Count <= MostInHelp)
        {
            option.HelpName = string.Join('|', names);
            return;
        }
        option.HelpName = "name";
        option.Description += $": one of {string.Join(", ", names)}";
    }
}
