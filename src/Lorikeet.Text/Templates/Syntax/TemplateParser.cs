namespace Lorikeet.Text;

/// <summary>Reads the statements of a template.</summary>
internal sealed class TemplateParser
{
    private const int MaxNesting = 100;
    private const int MaxParameters = 255;

    private readonly TokenReader _tokens;
    private readonly TemplateExpressionParser _expressions;
    private readonly Stack<(string Tag, int Line)> _open = new();
    private int _loops;

    private TemplateParser(TokenReader tokens)
    {
        _tokens = tokens;
        _expressions = new TemplateExpressionParser(tokens);
    }

    public static Statement[] Parse(string source, string name)
    {
        TemplateParser parser = new(new TokenReader(TemplateLexer.Tokens(source, name), name));
        return parser.Body();
    }

    // Statements up to a block that begins with one of the names; that block's begin is taken, its name is current.
    private Statement[] Body(params ReadOnlySpan<string> ends)
    {
        List<Statement> body = [];
        while (true)
        {
            TemplateToken token = _tokens.Current;
            switch (token.Kind)
            {
                case TemplateTokenKind.Text:
                    body.Add(new TextStatement(token.Line, _tokens.Take().Text));
                    break;
                case TemplateTokenKind.VariableBegin:
                    _tokens.Take();
                    body.Add(new PrintStatement(_tokens.Current.Line, _expressions.Tuple()));
                    _tokens.ExpectKind(TemplateTokenKind.VariableEnd);
                    break;
                case TemplateTokenKind.BlockBegin:
                    _tokens.Take();
                    if (_tokens.Current.Kind == TemplateTokenKind.Name && ends.Contains(_tokens.Current.Text))
                        return [.. body];
                    body.AddRange(Block());
                    _tokens.ExpectKind(TemplateTokenKind.BlockEnd);
                    break;
                case TemplateTokenKind.End when _open.Count == 0:
                    return [.. body];
                default:
                    (string tag, int line) = _open.Peek();
                    throw _tokens.Error($"Unexpected end of template. The block '{tag}' of line {line} is not closed: it needs '{string.Join("' or '", ends)}'.");
            }
        }
    }

    // The body of a block up to its end tag, which is taken too.
    private Statement[] BodyTo(string end)
    {
        _tokens.ExpectKind(TemplateTokenKind.BlockEnd);
        Statement[] body = Body(end);
        _tokens.Take();
        return body;
    }

    private Statement[] Block()
    {
        TemplateToken tag = _tokens.Current;
        if (tag.Kind != TemplateTokenKind.Name)
            throw _tokens.Error("tag name expected");
        if (_open.Count >= MaxNesting)
            throw _tokens.Error($"blocks are nested more than {MaxNesting} deep");
        _tokens.Take();
        _open.Push((tag.Text, tag.Line));
        Statement[] statements = tag.Text switch
        {
            "if" => [If(tag.Line)],
            "for" => [For(tag.Line)],
            "set" => [Set(tag.Line)],
            "macro" => [Macro(tag.Line)],
            "call" => [Call(tag.Line)],
            "filter" => [Filter(tag.Line)],
            "with" => [With(tag.Line)],
            "generation" => [new GenerationStatement(tag.Line, OutsideLoops(() => BodyTo("endgeneration")))],
            "autoescape" => [new AutoescapeStatement(tag.Line, _expressions.Parse(), BodyTo("endautoescape"))],
            "block" => [NamedBlock(tag.Line)],
            "print" => Print(),
            "break" or "continue" => [Break(tag)],
            "include" or "import" or "from" or "extends" => [Refused(tag)],
            _ => throw UnknownTag(tag),
        };
        _open.Pop();
        return statements;
    }

    private TemplateException UnknownTag(TemplateToken tag)
    {
        string reason = $"Encountered unknown tag '{tag.Text}'.";
        _open.Pop();
        if (_open.TryPeek(out (string Tag, int Line) open))
            reason += $" The innermost block that needs to be closed is '{open.Tag}' of line {open.Line}.";
        return _tokens.Error(reason, tag.Line);
    }

    private IfStatement If(int line)
    {
        List<(Expression Condition, Statement[] Body)> branches = [];
        Statement[] otherwise = [];
        while (true)
        {
            Expression condition = _expressions.Tuple(withCondition: false);
            _tokens.ExpectKind(TemplateTokenKind.BlockEnd);
            branches.Add((condition, Body("elif", "else", "endif")));
            TemplateToken next = _tokens.Take();
            if (next.Text == "elif")
                continue;
            if (next.Text == "else")
                otherwise = BodyTo("endif");
            return new IfStatement(line, [.. branches], otherwise);
        }
    }

    private ForStatement For(int line)
    {
        AssignmentTarget target = _expressions.Target(stopAt: "in");
        _tokens.ExpectName("in");
        Expression items = _expressions.Tuple(withCondition: false, stopAt: "recursive");
        Expression? condition = _tokens.SkipName("if") ? _expressions.Parse() : null;
        bool recursive = _tokens.SkipName("recursive");
        _tokens.ExpectKind(TemplateTokenKind.BlockEnd);

        bool mentionedBefore = _expressions.Mentioned.Remove("loop");
        int loops = _loops;
        _loops = recursive ? 1 : loops + 1;
        Statement[] body = Body("endfor", "else");
        bool usesLoop = _expressions.Mentioned.Contains("loop") || recursive;
        if (mentionedBefore)
            _expressions.Mentioned.Add("loop");
        _loops = recursive ? 0 : loops;
        Statement[] otherwise = _tokens.Take().Text == "else" ? BodyTo("endfor") : [];
        _loops = loops;
        if (SetsLoop(target) || Array.Exists(body, s => s is SetStatement set && SetsLoop(set.Target)))
            throw _tokens.Error("Can't assign to special loop variable in for-loop", line);
        return new ForStatement(line, target, items, condition, recursive, usesLoop, body, otherwise);
    }

    private static bool SetsLoop(AssignmentTarget target) => target switch
    {
        NameTarget name => name.Name == "loop",
        TupleTarget tuple => Array.Exists(tuple.Items, SetsLoop),
        _ => false,
    };

    private Statement Set(int line)
    {
        AssignmentTarget target = _expressions.Target(withNamespace: true);
        if (_tokens.SkipOperator("="))
            return new SetStatement(line, target, _expressions.Tuple());
        Expression filtered = _expressions.BlockFilters(first: false);
        return new SetBlockStatement(line, target, filtered, BodyTo("endset"));
    }

    private MacroStatement Macro(int line)
    {
        string name = _expressions.TargetName();
        if (!_tokens.Current.IsOperator("("))
            throw _tokens.Expected("(");
        (string Name, Expression? Default)[] parameters = Signature();
        return new MacroStatement(line, Callable(name, parameters, "endmacro"));
    }

    private CallBlockStatement Call(int line)
    {
        (string Name, Expression? Default)[] parameters = _tokens.Current.IsOperator("(") ? Signature() : [];
        if (_expressions.Parse() is not CallExpression call)
            throw _tokens.Error("expected call", line);
        return new CallBlockStatement(line, call, Callable("caller", parameters, "endcall"));
    }

    private MacroBody Callable(string name, (string Name, Expression? Default)[] parameters, string end)
    {
        string[] special = ["caller", "kwargs", "varargs"];
        HashSet<string> before = [.. _expressions.Mentioned];
        _expressions.Mentioned.ExceptWith(special);
        Statement[] body = OutsideLoops(() => BodyTo(end));
        bool[] takes = [.. special.Select(_expressions.Mentioned.Contains)];
        _expressions.Mentioned.UnionWith(before);
        return new MacroBody(name, parameters, takes[0], takes[1], takes[2], body);
    }

    private (string Name, Expression? Default)[] Signature()
    {
        _tokens.ExpectOperator("(");
        List<(string Name, Expression? Default)> parameters = [];
        while (!_tokens.Current.IsOperator(")"))
        {
            if (parameters.Count > 0)
                _tokens.ExpectOperator(",");
            string name = _expressions.TargetName();
            if (parameters.Count >= MaxParameters)
                throw _tokens.Error($"more than {MaxParameters} parameters");
            if (parameters.Exists(p => p.Name == name))
                throw _tokens.Error($"duplicate argument '{name}' in function definition");
            Expression? fallback = _tokens.SkipOperator("=") ? _expressions.Parse() : null;
            if (fallback is null && parameters.Exists(p => p.Default is not null))
                throw _tokens.Error("non-default argument follows default argument");
            parameters.Add((name, fallback));
        }
        _tokens.ExpectOperator(")");
        return [.. parameters];
    }

    private FilterBlockStatement Filter(int line)
    {
        Expression filtered = _expressions.BlockFilters(first: true);
        return new FilterBlockStatement(line, filtered, BodyTo("endfilter"));
    }

    private WithStatement With(int line)
    {
        List<(AssignmentTarget Target, Expression Value)> variables = [];
        while (_tokens.Current.Kind != TemplateTokenKind.BlockEnd)
        {
            if (variables.Count > 0)
                _tokens.ExpectOperator(",");
            AssignmentTarget target = _expressions.Target();
            _tokens.ExpectOperator("=");
            variables.Add((target, _expressions.Parse()));
        }
        return new WithStatement(line, [.. variables], BodyTo("endwith"));
    }

    private WithStatement NamedBlock(int line)
    {
        string name = _tokens.ExpectName();
        while (_tokens.SkipName("scoped") || _tokens.SkipName("required"))
        {
        }
        Statement[] body = OutsideLoops(() => BodyTo("endblock"));
        _tokens.SkipName(name);
        return new WithStatement(line, [], body);
    }

    private Statement[] Print()
    {
        List<Statement> prints = [];
        while (_tokens.Current.Kind != TemplateTokenKind.BlockEnd)
        {
            if (prints.Count > 0)
                _tokens.ExpectOperator(",");
            prints.Add(new PrintStatement(_tokens.Current.Line, _expressions.Parse()));
        }
        return [.. prints];
    }

    private BreakStatement Break(TemplateToken tag) => _loops > 0
        ? new BreakStatement(tag.Line, tag.Text == "continue")
        : throw _tokens.Error($"'{tag.Text}' outside loop", tag.Line);

    private RefusedStatement Refused(TemplateToken tag)
    {
        while (_tokens.Current.Kind is not (TemplateTokenKind.BlockEnd or TemplateTokenKind.End))
            _tokens.Take();
        return new RefusedStatement(tag.Line, tag.Text);
    }

    private Statement[] OutsideLoops(Func<Statement[]> parse)
    {
        int loops = _loops;
        _loops = 0;
        Statement[] body = parse();
        _loops = loops;
        return body;
    }
}
