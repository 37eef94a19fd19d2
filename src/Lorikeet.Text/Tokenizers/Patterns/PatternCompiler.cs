namespace Lorikeet.Text;

/// <summary>Turns a parsed regular expression into instructions for the <see cref="PatternMatcher"/>.</summary>
internal sealed class PatternCompiler
{
    private const int LongestProgram = 20_000;

    private readonly List<PatternStep> _steps = [];
    private int _registers;

    /// <summary>Compiles an expression; the program ends with a match.</summary>
    /// <exception cref="PatternException">It grows too large.</exception>
    public static (PatternStep[] Steps, int Registers) Compile(PatternNode node)
    {
        PatternCompiler compiler = new();
        compiler.Emit(node);
        compiler.Add(new(PatternOp.Match));
        return ([.. compiler._steps], compiler._registers);
    }

    /// <summary>Fewest and most characters that a part matches; a maximum of -1 is none.</summary>
    public static (int Minimum, int Maximum) LengthOf(PatternNode node)
    {
        switch (node)
        {
            case PatternNode.One:
                return (1, 1);
            case PatternNode.Atomic atomic:
                return LengthOf(atomic.Body);
            case PatternNode.Chain chain:
                (int minimum, int maximum) = (0, 0);
                foreach ((int low, int high) in chain.Parts.Select(LengthOf))
                {
                    minimum += low;
                    maximum = maximum < 0 || high < 0 ? -1 : maximum + high;
                }
                return (minimum, maximum);
            case PatternNode.Choice choice:
                (int Minimum, int Maximum)[] lengths = [.. choice.Options.Select(LengthOf)];
                return (lengths.Min(l => l.Minimum), lengths.Any(l => l.Maximum < 0) ? -1 : lengths.Max(l => l.Maximum));
            case PatternNode.Repeat repeat:
                (int least, int most) = LengthOf(repeat.Body);
                return (least * repeat.Minimum, repeat.Maximum < 0 || most < 0 ? -1 : most * repeat.Maximum);
            default:
                return (0, 0);
        }
    }

    private void Emit(PatternNode node)
    {
        switch (node)
        {
            case PatternNode.One one:
                Add(new(PatternOp.One) { Set = one.Set });
                break;
            case PatternNode.Anchor anchor:
                Add(new(anchor.Op));
                break;
            case PatternNode.Chain chain:
                foreach (PatternNode part in chain.Parts)
                    Emit(part);
                break;
            case PatternNode.Choice choice:
                EmitChoice(choice.Options);
                break;
            case PatternNode.Repeat repeat:
                EmitRepeat(repeat);
                break;
            case PatternNode.Atomic atomic:
                EmitPart(new(PatternOp.Atomic), atomic.Body);
                break;
            case PatternNode.Look look:
                EmitLook(look);
                break;
        }
    }

    private void EmitChoice(List<PatternNode> options)
    {
        List<PatternStep> exits = [];
        for (int i = 0; i < options.Count; i++)
        {
            if (i == options.Count - 1)
            {
                Emit(options[i]);
                break;
            }
            PatternStep split = Add(new(PatternOp.Split) { X = _steps.Count + 1 });
            Emit(options[i]);
            exits.Add(Add(new(PatternOp.Jump)));
            split.Y = _steps.Count;
        }
        foreach (PatternStep exit in exits)
            exit.X = _steps.Count;
    }

    private void EmitRepeat(PatternNode.Repeat repeat)
    {
        PatternNode body = repeat.Body is PatternNode.Chain { Parts: [PatternNode.One only] } ? only : repeat.Body;
        if (body is PatternNode.One one)
        {
            Add(new(PatternOp.Run) { Set = one.Set, X = repeat.Minimum, Y = repeat.Maximum, Mode = repeat.Mode });
            return;
        }
        if (repeat.Mode == RepeatMode.Possessive)
        {
            EmitPart(new(PatternOp.Atomic), repeat with { Mode = RepeatMode.Greedy });
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
        List<PatternStep> splits = [];
        for (int i = repeat.Minimum; i < repeat.Maximum; i++)
        {
            splits.Add(Add(new(PatternOp.Split) { X = _steps.Count + 1 }));
            Emit(body);
        }
        foreach (PatternStep split in splits)
        {
            split.Y = _steps.Count;
            if (lazy)
                (split.X, split.Y) = (split.Y, split.X);
        }
    }

    private void EmitLoop(PatternNode body, bool lazy)
    {
        int register = _registers++;
        int begin = _steps.Count;
        PatternStep split = Add(new(PatternOp.Split) { X = begin + 1 });
        Add(new(PatternOp.Mark) { X = register });
        Emit(body);
        Add(new(PatternOp.Progress) { X = register });
        Add(new(PatternOp.Jump) { X = begin });
        split.Y = _steps.Count;
        if (lazy)
            (split.X, split.Y) = (split.Y, split.X);
    }

    private void EmitLook(PatternNode.Look look)
    {
        if (!look.Behind)
        {
            EmitPart(new(PatternOp.Ahead) { Negative = look.Negative }, look.Body);
            return;
        }
        (int minimum, int maximum) = LengthOf(look.Body);
        if (maximum < 0)
            throw new PatternException("a look behind at a part without a longest length is not supported");
        PatternStep step = new(PatternOp.Behind) { Negative = look.Negative, Minimum = minimum, Y = maximum };
        // the end of what is looked at must be the place that it is looked from
        EmitPart(step, new PatternNode.Chain([look.Body, new PatternNode.Anchor(PatternOp.BehindEnd)]));
    }

    private void EmitPart(PatternStep step, PatternNode body)
    {
        Add(step);
        Emit(body);
        Add(new(PatternOp.Match));
        step.X = _steps.Count;
    }

    private PatternStep Add(PatternStep step)
    {
        if (_steps.Count >= LongestProgram)
            throw new PatternException($"the regular expression needs more than {LongestProgram} steps");
        _steps.Add(step);
        return step;
    }
}
