using System.Text;
using System.Text.RegularExpressions;

namespace Lorikeet.Formats;

/// <summary>A pattern for names of files, read as the hub's own client reads it: the rules of the shell, but <c>*</c> crosses slashes.</summary>
internal sealed class HubPattern
{
    private readonly Regex _regex;

    public HubPattern(string pattern)
    {
        if (pattern.EndsWith('/'))
            pattern += "*";
        _regex = new Regex(Translate(pattern), RegexOptions.CultureInvariant | RegexOptions.NonBacktracking | RegexOptions.Singleline);
    }

    public bool Matches(string name) => _regex.IsMatch(name);

    private static string Translate(string pattern)
    {
        StringBuilder regex = new(@"\A");
        for (int i = 0; i < pattern.Length; i++)
        {
            int close = pattern[i] == '[' && i + 2 < pattern.Length ? pattern.IndexOf(']', i + 2) : -1;
            if (pattern[i] == '*')
                regex.Append(".*");
            else if (pattern[i] == '?')
                regex.Append('.');
            else if (close > 0)
            {
                string inside = pattern[(i + 1)..close];
                bool not = inside[0] is '!' or '^';
                regex.Append(not ? "[^" : "[").Append(inside[(not ? 1 : 0)..].Replace(@"\", @"\\", StringComparison.Ordinal).Replace("[", @"\[", StringComparison.Ordinal).Replace("^", @"\^", StringComparison.Ordinal)).Append(']');
                i = close;
            }
            else
                regex.Append(Regex.Escape(pattern[i].ToString()));
        }
        return regex.Append(@"\z").ToString();
    }
}
