using System.Text.Json;

namespace Lorikeet.Text.Tests;

/// <summary>Renders one-line templates for the tests.</summary>
internal static class Jinja
{
    /// <summary>The text of a template with the variables of a JSON object.</summary>
    public static string Render(string source, string variables = "{}", TemplateLimits? limits = null) =>
        ChatTemplate.Parse(source, "test", limits).Render(Request(variables)).Text;

    /// <summary>The error of a template that must fail, in parsing or in rendering.</summary>
    public static TemplateException Fails(string source, string variables = "{}", TemplateLimits? limits = null) =>
        Should.Throw<TemplateException>(() => Render(source, variables, limits), source);

    public static ChatRequest Request(string variables)
    {
        using JsonDocument document = JsonDocument.Parse(variables);
        Dictionary<string, TemplateValue> values = [];
        foreach (JsonProperty property in document.RootElement.EnumerateObject())
            values[property.Name] = property.Value;
        return new ChatRequest { Messages = TemplateValue.Parse("[]"), Variables = values, Now = new DateTime(2024, 2, 29, 23, 5, 9) };
    }
}
