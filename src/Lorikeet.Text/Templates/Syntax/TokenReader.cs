namespace Lorikeet.Text;

/// <summary>Steps through the tokens of a template.</summary>
internal sealed class TokenReader(List<TemplateToken> tokens, string templateName)
{
    private int _at;

    public TemplateToken Current => tokens[_at];

    public TemplateToken Ahead => tokens[Math.Min(_at + 1, tokens.Count - 1)];

    /// <summary>Takes the current token; the end stays.</summary>
    public TemplateToken Take()
    {
        TemplateToken token = Current;
        if (token.Kind != TemplateTokenKind.End)
            _at++;
        return token;
    }

    public bool SkipOperator(string symbol)
    {
        bool found = Current.IsOperator(symbol);
        if (found)
            _at++;
        return found;
    }

    public bool SkipName(string name)
    {
        bool found = Current.IsName(name);
        if (found)
            _at++;
        return found;
    }

    public void ExpectOperator(string symbol)
    {
        if (!SkipOperator(symbol))
            throw Expected(symbol);
    }

    public void ExpectName(string name)
    {
        if (!SkipName(name))
            throw Expected(name);
    }

    public string ExpectName()
    {
        if (Current.Kind != TemplateTokenKind.Name)
            throw Expected("name");
        return Take().Text;
    }

    public void ExpectKind(TemplateTokenKind kind)
    {
        if (Current.Kind != kind)
            throw Expected(new TemplateToken(kind, "", 0).Describe());
        Take();
    }

    public TemplateException Expected(string what) => Error($"expected token '{what}', got '{Current.Describe()}'");

    public TemplateException Error(string reason, int? line = null) => new(TemplateErrorKind.Syntax, reason, templateName, line ?? Current.Line);
}
