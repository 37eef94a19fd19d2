namespace Lorikeet.Text;

/// <summary>Reads a pattern of a <c>tokenizer.json</c>: <c>{"String": …}</c> or <c>{"Regex": …}</c>.</summary>
internal static class PatternJson
{
    public static TextPattern Read(JsonField field)
    {
        if (field["String"].Exists)
            return new LiteralPattern(field["String"].RequiredText());
        JsonField regex = field["Regex"];
        if (!regex.Exists)
        {
            field.Problem($"expected {{\"String\": …}} or {{\"Regex\": …}}, found {field.Describe()}");
            return new LiteralPattern("");
        }
        try
        {
            return WordPatterns.For(regex.RequiredText());
        }
        catch (PatternException e)
        {
            regex.Problem(e.Message);
            return new LiteralPattern("");
        }
    }
}
