using System.Text;

namespace Lorikeet.Text;

/// <summary>Reads expressions, with Jinja's precedence: conditional, or, and, not, comparison, sum, <c>~</c>, product, power, sign, postfix and filter.</summary>
internal sealed class TemplateExpressionParser(TokenReader tokens)
{
    private const int MaxHeight = 400;
    private const int MaxNesting = 200;
    private const int MaxArguments = 255;

    private int _nesting;

    /// <summary>The special names (<c>loop</c>, <c>caller</c>, <c>varargs</c>, <c>kwargs</c>) read so far.</summary>
    public HashSet<string> Mentioned { get; } = [];

    public Expression Parse(bool withCondition = true)
    {
        if (++_nesting > MaxNesting)
            throw tokens.Error($"expressions are nested more than {MaxNesting} deep");
        Expression expression = withCondition ? Conditional() : Or();
        _nesting--;
        return expression;
    }

    /// <summary>One expression, or several with commas: a tuple.</summary>
    /// <param name="withCondition">Whether <c>a if b else c</c> may stand here.</param>
    /// <param name="stopAt">A name that ends the tuple, where only simple expressions may stand.</param>
    /// <param name="emptyAllowed">Whether nothing at all is the empty tuple.</param>
    public Expression Tuple(bool withCondition = true, string? stopAt = null, bool emptyAllowed = false)
    {
        int line = tokens.Current.Line;
        List<Expression> items = [];
        bool isTuple = false;
        while (true)
        {
            if (items.Count > 0)
            {
                if (!tokens.SkipOperator(","))
                    break;
                isTuple = true;
            }
            if (EndsTuple(stopAt))
                break;
            items.Add(Parse(withCondition));
        }
        if (!isTuple)
        {
            if (items.Count > 0)
                return items[0];
            if (!emptyAllowed)
                throw tokens.Error($"Expected an expression, got '{tokens.Current.Describe()}'");
        }
        return Checked(new SequenceExpression(line, [.. items], isTuple: true));
    }

    /// <summary>What is set by <c>set</c>, <c>for</c> or <c>with</c>.</summary>
    public AssignmentTarget Target(bool withNamespace = false, string? stopAt = null)
    {
        List<AssignmentTarget> items = [];
        bool isTuple = false;
        while (true)
        {
            if (items.Count > 0)
            {
                if (!tokens.SkipOperator(","))
                    break;
                isTuple = true;
            }
            if (items.Count > 0 && (EndsTuple(stopAt) || tokens.Current.IsOperator("=")))
                break;
            items.Add(SimpleTarget(withNamespace));
        }
        return isTuple ? new TupleTarget([.. items]) : items[0];
    }

    /// <summary>A name that may be set.</summary>
    public string TargetName()
    {
        TemplateToken token = tokens.Current;
        string name = tokens.ExpectName();
        return Keyword(token) is null ? name : throw tokens.Error($"can't assign to '{name}'", token.Line);
    }

    /// <summary>The filters of a <c>filter</c> or <c>set</c> block, applied to the block's text.</summary>
    public Expression BlockFilters(bool first)
    {
        Expression expression = new CapturedExpression(tokens.Current.Line);
        while (first || tokens.Current.IsOperator("|"))
        {
            if (!first)
                tokens.Take();
            first = false;
            expression = Filter(expression);
        }
        return expression;
    }

    private AssignmentTarget SimpleTarget(bool withNamespace)
    {
        if (tokens.SkipOperator("("))
        {
            AssignmentTarget inner = Target(withNamespace);
            tokens.ExpectOperator(")");
            return inner;
        }
        TemplateToken token = tokens.Current;
        if (token.Kind != TemplateTokenKind.Name)
            throw tokens.Error($"can't assign to '{token.Describe()}'");
        string name = TargetName();
        if (!withNamespace || !tokens.Current.IsOperator("."))
            return new NameTarget(name);
        tokens.Take();
        Mention(name);
        return new AttributeTarget(new NameExpression(token.Line, name), tokens.ExpectName());
    }

    private bool EndsTuple(string? stopAt) => tokens.Current.Kind is TemplateTokenKind.VariableEnd or TemplateTokenKind.BlockEnd
        || tokens.Current.IsOperator(")") || (stopAt is not null && tokens.Current.IsName(stopAt));

    private Expression Conditional()
    {
        Expression expression = Or();
        while (tokens.Current.IsName("if"))
        {
            int line = tokens.Take().Line;
            Expression condition = Or();
            Expression? otherwise = tokens.SkipName("else") ? Parse() : null;
            expression = Checked(new ConditionalExpression(line, condition, expression, otherwise));
        }
        return expression;
    }

    private Expression Or()
    {
        Expression left = And();
        while (tokens.Current.IsName("or"))
            left = Checked(new LogicExpression(tokens.Take().Line, left, And(), isAnd: false));
        return left;
    }

    private Expression And()
    {
        Expression left = Not();
        while (tokens.Current.IsName("and"))
            left = Checked(new LogicExpression(tokens.Take().Line, left, Not(), isAnd: true));
        return left;
    }

    private Expression Not()
    {
        int line = tokens.Current.Line, count = 0;
        while (tokens.SkipName("not"))
            count++;
        Expression expression = Comparison();
        for (; count > 0; count--)
            expression = Checked(new NotExpression(line, expression));
        return expression;
    }

    private Expression Comparison()
    {
        int line = tokens.Current.Line;
        Expression first = Sum();
        List<(string Symbol, Expression Operand)> rest = [];
        while (true)
        {
            TemplateToken token = tokens.Current;
            if (token.Kind == TemplateTokenKind.Operator && token.Text is "==" or "!=" or "<" or "<=" or ">" or ">=")
            {
                tokens.Take();
                rest.Add((token.Text, Sum()));
            }
            else if (token.IsName("in"))
            {
                tokens.Take();
                rest.Add(("in", Sum()));
            }
            else if (token.IsName("not") && tokens.Ahead.IsName("in"))
            {
                tokens.Take();
                tokens.Take();
                rest.Add(("not in", Sum()));
            }
            else
            {
                break;
            }
        }
        return rest.Count == 0 ? first : Checked(new CompareExpression(line, first, [.. rest]));
    }

    private Expression Sum()
    {
        List<(Expression Operand, int Line)> operands = [(Concatenation(), tokens.Current.Line)];
        while (tokens.Current.IsOperator("+") || tokens.Current.IsOperator("-"))
        {
            TemplateToken token = tokens.Take();
            if (token.Text == "+")
                operands.Add((Concatenation(), token.Line));
            else
                operands = [(Checked(new ArithmeticExpression(token.Line, ArithmeticOperator.Subtract, Total(operands), Concatenation())), token.Line)];
        }
        return Total(operands);
    }

    private Expression Total(List<(Expression Operand, int Line)> operands) =>
        operands.Count == 1 ? operands[0].Operand : Checked(new SumExpression([.. operands]));

    private Expression Concatenation()
    {
        int line = tokens.Current.Line;
        List<Expression> parts = [Product()];
        while (tokens.SkipOperator("~"))
            parts.Add(Product());
        return parts.Count == 1 ? parts[0] : Checked(new ConcatExpression(line, [.. parts]));
    }

    private Expression Product()
    {
        Expression left = Power();
        while (true)
        {
            ArithmeticOperator? op = tokens.Current.Kind != TemplateTokenKind.Operator ? null : tokens.Current.Text switch
            {
                "*" => ArithmeticOperator.Multiply,
                "/" => ArithmeticOperator.Divide,
                "//" => ArithmeticOperator.FloorDivide,
                "%" => ArithmeticOperator.Modulo,
                _ => null,
            };
            if (op is null)
                return left;
            int line = tokens.Take().Line;
            left = Checked(new ArithmeticExpression(line, op.Value, left, Power()));
        }
    }

    // From left to right, unlike Python.
    private Expression Power()
    {
        Expression left = Signed(withFilter: true);
        while (tokens.Current.IsOperator("**"))
            left = Checked(new ArithmeticExpression(tokens.Take().Line, ArithmeticOperator.Power, left, Signed(withFilter: true)));
        return left;
    }

    private Expression Signed(bool withFilter)
    {
        if (++_nesting > MaxNesting)
            throw tokens.Error($"expressions are nested more than {MaxNesting} deep");
        TemplateToken token = tokens.Current;
        Expression expression;
        if (token.IsOperator("-") || token.IsOperator("+"))
        {
            tokens.Take();
            expression = Checked(new SignExpression(token.Line, Signed(withFilter: false), token.Text == "-"));
        }
        else
        {
            expression = Primary();
        }
        expression = Postfix(expression);
        if (withFilter)
            expression = FiltersAndTests(expression);
        _nesting--;
        return expression;
    }

    private static object? Keyword(TemplateToken token) => token.Text switch
    {
        "true" or "True" => Boxed.True,
        "false" or "False" => Boxed.False,
        "none" or "None" => Missing.Value,
        _ => null,
    };

    private Expression Primary()
    {
        TemplateToken token = tokens.Current;
        switch (token.Kind)
        {
            case TemplateTokenKind.Name:
                tokens.Take();
                if (Keyword(token) is { } constant)
                    return new ConstantExpression(token.Line, constant is Missing ? null : constant);
                Mention(token.Text);
                return new NameExpression(token.Line, token.Text);
            case TemplateTokenKind.String:
                return new ConstantExpression(token.Line, Strings());
            case TemplateTokenKind.Integer or TemplateTokenKind.Float:
                tokens.Take();
                return new ConstantExpression(token.Line, token.Value);
            case TemplateTokenKind.Operator when token.Text == "(":
                tokens.Take();
                Expression inner = Tuple(emptyAllowed: true);
                tokens.ExpectOperator(")");
                return inner;
            case TemplateTokenKind.Operator when token.Text == "[":
                return List();
            case TemplateTokenKind.Operator when token.Text == "{":
                return Dict();
            default:
                throw tokens.Error($"unexpected '{token.Describe()}'");
        }
    }

    // Strings side by side are one.
    private string Strings()
    {
        string first = tokens.Take().Text;
        if (tokens.Current.Kind != TemplateTokenKind.String)
            return first;
        StringBuilder all = new(first);
        while (tokens.Current.Kind == TemplateTokenKind.String)
            all.Append(tokens.Take().Text);
        return all.ToString();
    }

    private Expression List()
    {
        int line = tokens.Take().Line;
        List<Expression> items = [];
        while (!tokens.Current.IsOperator("]"))
        {
            if (items.Count > 0)
                tokens.ExpectOperator(",");
            if (tokens.Current.IsOperator("]"))
                break;
            items.Add(Parse());
        }
        tokens.ExpectOperator("]");
        return Checked(new SequenceExpression(line, [.. items], isTuple: false));
    }

    private Expression Dict()
    {
        int line = tokens.Take().Line;
        List<(Expression Key, Expression Value)> items = [];
        while (!tokens.Current.IsOperator("}"))
        {
            if (items.Count > 0)
                tokens.ExpectOperator(",");
            if (tokens.Current.IsOperator("}"))
                break;
            Expression key = Parse();
            tokens.ExpectOperator(":");
            items.Add((key, Parse()));
        }
        tokens.ExpectOperator("}");
        return Checked(new DictExpression(line, [.. items]));
    }

    private Expression Postfix(Expression expression)
    {
        while (true)
        {
            TemplateToken token = tokens.Current;
            if (token.IsOperator(".") || token.IsOperator("["))
                expression = Subscript(expression);
            else if (token.IsOperator("("))
                expression = Checked(new CallExpression(token.Line, expression, Arguments()));
            else
                return expression;
        }
    }

    private Expression FiltersAndTests(Expression expression)
    {
        while (true)
        {
            TemplateToken token = tokens.Current;
            if (token.IsOperator("|"))
            {
                tokens.Take();
                expression = Filter(expression);
            }
            else if (token.IsName("is"))
            {
                expression = Test(expression);
            }
            else if (token.IsOperator("("))
            {
                expression = Checked(new CallExpression(token.Line, expression, Arguments()));
            }
            else
            {
                return expression;
            }
        }
    }

    private Expression Subscript(Expression target)
    {
        TemplateToken token = tokens.Take();
        if (token.Text == ".")
        {
            TemplateToken attribute = tokens.Take();
            return attribute.Kind switch
            {
                TemplateTokenKind.Name => Checked(new AttributeExpression(token.Line, target, attribute.Text)),
                TemplateTokenKind.Integer => Checked(new ItemExpression(token.Line, target, new ConstantExpression(token.Line, attribute.Value))),
                _ => throw tokens.Error("expected name or number", token.Line),
            };
        }
        List<Expression> keys = [];
        do
        {
            Expression? start = tokens.Current.IsOperator(":") ? null : Parse();
            if (!tokens.SkipOperator(":"))
            {
                keys.Add(start!);
                continue;
            }
            Expression? stop = EndsSubscript() || tokens.Current.IsOperator(":") ? null : Parse();
            Expression? step = tokens.SkipOperator(":") && !EndsSubscript() ? Parse() : null;
            tokens.ExpectOperator("]");
            return keys.Count == 0
                ? Checked(new SliceExpression(token.Line, target, start, stop, step))
                : throw tokens.Error("a slice cannot be part of a tuple here", token.Line);
        }
        while (tokens.SkipOperator(","));
        tokens.ExpectOperator("]");
        Expression key = keys.Count == 1 ? keys[0] : new SequenceExpression(token.Line, [.. keys], isTuple: true);
        return Checked(new ItemExpression(token.Line, target, key));
    }

    private bool EndsSubscript() => tokens.Current.IsOperator("]") || tokens.Current.IsOperator(",");

    private Expression Filter(Expression target)
    {
        int line = tokens.Current.Line;
        string name = DottedName();
        CallArguments arguments = tokens.Current.IsOperator("(") ? Arguments() : CallArguments.None;
        return Checked(new FilterExpression(line, target, name, arguments));
    }

    private Expression Test(Expression target)
    {
        int line = tokens.Take().Line;
        bool negated = tokens.SkipName("not");
        string name = DottedName();
        CallArguments arguments = CallArguments.None;
        TemplateToken next = tokens.Current;
        if (next.IsOperator("("))
        {
            arguments = Arguments();
        }
        else if (next.Kind is TemplateTokenKind.String or TemplateTokenKind.Integer or TemplateTokenKind.Float
            || next.IsOperator("[") || next.IsOperator("{")
            || (next.Kind == TemplateTokenKind.Name && next.Text is not ("else" or "or" or "and")))
        {
            if (next.IsName("is"))
                throw tokens.Error("You cannot chain multiple tests with is");
            arguments = new CallArguments([Postfix(Primary())], [], null, null);
        }
        Expression test = Checked(new TestExpression(line, target, name, arguments));
        return negated ? Checked(new NotExpression(line, test)) : test;
    }

    private string DottedName()
    {
        string name = tokens.ExpectName();
        while (tokens.SkipOperator("."))
            name += "." + tokens.ExpectName();
        return name;
    }

    private CallArguments Arguments()
    {
        int line = tokens.Take().Line;
        List<Expression> positional = [];
        List<(string Name, Expression Value)> named = [];
        Expression? rest = null, options = null;
        bool first = true;
        while (!tokens.Current.IsOperator(")"))
        {
            if (!first)
            {
                tokens.ExpectOperator(",");
                if (tokens.Current.IsOperator(")"))
                    break;
            }
            first = false;
            if (positional.Count + named.Count >= MaxArguments)
                throw tokens.Error($"more than {MaxArguments} arguments", line);
            if (tokens.Current.IsOperator("*") && rest is null && options is null)
            {
                tokens.Take();
                rest = Parse();
            }
            else if (tokens.Current.IsOperator("**") && options is null)
            {
                tokens.Take();
                options = Parse();
            }
            else if (tokens.Current.Kind == TemplateTokenKind.Name && tokens.Ahead.IsOperator("=") && options is null)
            {
                string name = tokens.Take().Text;
                tokens.Take();
                if (named.Exists(n => n.Name == name))
                    throw tokens.Error($"keyword argument repeated: {name}", line);
                named.Add((name, Parse()));
            }
            else if (rest is null && options is null && named.Count == 0)
            {
                positional.Add(Parse());
            }
            else
            {
                throw tokens.Error("invalid syntax for function call expression", line);
            }
        }
        tokens.ExpectOperator(")");
        return new CallArguments([.. positional], [.. named], rest, options);
    }

    private void Mention(string name)
    {
        if (name is "loop" or "caller" or "varargs" or "kwargs")
            Mentioned.Add(name);
    }

    private Expression Checked(Expression expression) => expression.Height <= MaxHeight
        ? expression
        : throw tokens.Error($"an expression is more than {MaxHeight} operations deep", expression.Line);
}
