namespace Lorikeet.Text;

/// <summary>One token of a template; <paramref name="Value"/> is the number that a literal stands for.</summary>
internal readonly record struct TemplateToken(TemplateTokenKind Kind, string Text, int Line, object? Value = null)
{
    public bool IsName(string name) => Kind == TemplateTokenKind.Name && Text == name;

    public bool IsOperator(string symbol) => Kind == TemplateTokenKind.Operator && Text == symbol;

    /// <summary>How messages name it.</summary>
    public string Describe() => Kind switch
    {
        TemplateTokenKind.Text => "template data / text",
        TemplateTokenKind.VariableBegin => "begin of print statement",
        TemplateTokenKind.VariableEnd => "end of print statement",
        TemplateTokenKind.BlockBegin => "begin of statement block",
        TemplateTokenKind.BlockEnd => "end of statement block",
        TemplateTokenKind.String => "string",
        TemplateTokenKind.Integer => "integer",
        TemplateTokenKind.Float => "float",
        TemplateTokenKind.End => "end of template",
        _ => Text,
    };
}
