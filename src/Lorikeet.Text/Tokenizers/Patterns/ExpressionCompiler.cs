namespace Lorikeet.Text;

/// <summary>Turns a parsed regular expression into instructions for the <see cref="ExpressionMatcher"/>.</summary>
internal sealed class ExpressionCompiler
{
    private const int LongestProgram = 20_000;

    private readonly List<ExpressionStep> _steps = [];
    private int _registers;

    /// <summary>Compiles an expression; the program ends with a match.</summary>
    /// <exception cref="PatternException">It grows too large.</exception>
    public static (ExpressionStep[] Steps, int Registers) Compile(ExpressionNode node)
    {
        ExpressionCompiler compiler = new();
        compiler.Emit(node);
        compiler.Add(new(ExpressionOp.Match));
        return ([.. compiler._steps], compiler._registers);
    }

    /// <summary>Fewest and most characters that a part matches; a maximum of -1 is none.</summary>
    public static (int Minimum, int Maximum) LengthOf(ExpressionNode node)
    {
        switch (node)
        {
            case ExpressionNode.One:
                return (1, 1);
            case ExpressionNode.Atomic atomic:
                return LengthOf(atomic.Body);
            case ExpressionNode.Chain chain:
                (int minimum, int maximum) = (0, 0);
                foreach ((int low, int high) in chain.Parts.Select(LengthOf))
                {
                    minimum += low;
                    maximum = maximum < 0 || high < 0 ? -1 : maximum + high;
                }
                return (minimum, maximum);
            case ExpressionNode.Choice choice:
                (int Minimum, int Maximum)[] lengths = [.. choice.Options.Select(LengthOf)];
                return (lengths.Min(l => l.Minimum), lengths.Any(l => l.Maximum < 0) ? -1 : lengths.Max(l => l.Maximum));
            case ExpressionNode.Repeat repeat:
                (int least, int most) = LengthOf(repeat.Body);
                return (least * repeat.Minimum, repeat.Maximum < 0 || most < 0 ? -1 : most * repeat.Maximum);
            default:
                return (0, 0);
        }
    }

    private void Emit(ExpressionNode node)
    {
        switch (node)
        {
            case ExpressionNode.One one:
                Add(new(ExpressionOp.One) { Set = one.Set });
                break;
            case ExpressionNode.Anchor anchor:
                Add(new(anchor.Op));
                break;
            case ExpressionNode.Chain chain:
                foreach (ExpressionNode part in chain.Parts)
                    Emit(part);
                break;
            case ExpressionNode.Choice choice:
                EmitChoice(choice.Options);
                break;
            case ExpressionNode.Repeat repeat:
                EmitRepeat(repeat);
                break;
            case ExpressionNode.Atomic atomic:
                EmitPart(new(ExpressionOp.Atomic), atomic.Body);
                break;
            case ExpressionNode.Look look:
                EmitLook(look);
                break;
        }
    }

    private void EmitChoice(List<ExpressionNode> options)
    {
        List<ExpressionStep> exits = [];
        for (int i = 0; i < options.Count; i++)
        {
            if (i == options.Count - 1)
            {
                Emit(options[i]);
                break;
            }
            ExpressionStep split = Add(new(ExpressionOp.Split) { X = _steps.Count + 1 });
            Emit(options[i]);
            exits.Add(Add(new(ExpressionOp.Jump)));
            split.Y = _steps.Count;
        }
        foreach (ExpressionStep exit in exits)
            exit.X = _steps.Count;
    }

    private void EmitRepeat(ExpressionNode.Repeat repeat)
    {
        ExpressionNode body = repeat.Body is ExpressionNode.Chain { Parts: [ExpressionNode.One only] } ? only : repeat.Body;
        if (body is ExpressionNode.One one)
        {
            Add(new(ExpressionOp.Run) { Set = one.Set, X = repeat.Minimum, Y = repeat.Maximum, Mode = repeat.Mode });
            return;
        }
        if (repeat.Mode == RepeatMode.Possessive)
        {
            EmitPart(new(ExpressionOp.Atomic), repeat with { Mode = RepeatMode.Greedy });
            return;
        }
        for (int i = 0; i < repeat.Minimum; i++)
            Emit(body);
        bool lazy = repeat.Mode == RepeatMode.Lazy;
        if (repeat.Maximum < 0)
        {
            EmitLoop(body, lazy);
            return;
        }
        List<ExpressionStep> splits = [];
        for (int i = repeat.Minimum; i < repeat.Maximum; i++)
        {
            splits.Add(Add(new(ExpressionOp.Split) { X = _steps.Count + 1 }));
            Emit(body);
        }
        foreach (ExpressionStep split in splits)
        {
            split.Y = _steps.Count;
            if (lazy)
                (split.X, split.Y) = (split.Y, split.X);
        }
    }

    private void EmitLoop(ExpressionNode body, bool lazy)
    {
        int register = _registers++;
        int begin = _steps.Count;
        ExpressionStep split = Add(new(ExpressionOp.Split) { X = begin + 1 });
        Add(new(ExpressionOp.Mark) { X = register });
        Emit(body);
        Add(new(ExpressionOp.Progress) { X = register });
        Add(new(ExpressionOp.Jump) { X = begin });
        split.Y = _steps.Count;
        if (lazy)
            (split.X, split.Y) = (split.Y, split.X);
    }

    private void EmitLook(ExpressionNode.Look look)
    {
        if (!look.Behind)
        {
            EmitPart(new(ExpressionOp.Ahead) { Negative = look.Negative }, look.Body);
            return;
        }
        (int minimum, int maximum) = LengthOf(look.Body);
        if (maximum < 0)
            throw new PatternException("a look behind at a part without a longest length is not supported");
        ExpressionStep step = new(ExpressionOp.Behind) { Negative = look.Negative, Minimum = minimum, Y = maximum };
        // the end of what is looked at must be the place that it is looked from
        EmitPart(step, new ExpressionNode.Chain([look.Body, new ExpressionNode.Anchor(ExpressionOp.BehindEnd)]));
    }

    private void EmitPart(ExpressionStep step, ExpressionNode body)
    {
        Add(step);
        Emit(body);
        Add(new(ExpressionOp.Match));
        step.X = _steps.Count;
    }

    private ExpressionStep Add(ExpressionStep step)
    {
        if (_steps.Count >= LongestProgram)
            throw new PatternException($"the regular expression needs more than {LongestProgram} steps");
        _steps.Add(step);
        return step;
    }
}
