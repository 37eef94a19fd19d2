using System.Text;

namespace Lorikeet.Text;

/// <summary>
/// Runs a compiled regular expression by backtracking. A budget of steps, generous for any text that a sane expression meets, keeps
/// expressions from untrusted files from running for ever.
/// </summary>
internal ref struct PatternMatcher
{
    private readonly PatternStep[] _steps;
    private readonly ReadOnlySpan<char> _text;
    private readonly int[] _registers;
    private Backtrack[] _stack;
    private int _count;
    private long _budget;
    private int _behindEnd = -1;

    public PatternMatcher(PatternStep[] steps, int registers, ReadOnlySpan<char> text, Backtrack[] stack, long budget)
    {
        _steps = steps;
        _text = text;
        _registers = registers == 0 ? [] : new int[registers];
        _stack = stack;
        _budget = budget;
    }

    private enum BacktrackKind
    {
        Resume,
        Restore,
        Shorter,
        Longer,
    }

    /// <summary>The stack, perhaps grown, for the next matcher.</summary>
    public readonly Backtrack[] Stack => _stack;

    /// <summary>Where the match that begins at a place ends, or -1. Throws nothing; <see cref="Exhausted"/> says if it gave up.</summary>
    public int Match(int at) => Run(0, at);

    /// <summary>Whether the budget of steps ran out.</summary>
    public readonly bool Exhausted => _budget < 0;

    private int Run(int pc, int at)
    {
        int bottom = _count;
        while (true)
        {
            if (--_budget < 0)
            {
                _count = bottom;
                return -1;
            }
            PatternStep step = _steps[pc];
            bool holds;
            switch (step.Op)
            {
                case PatternOp.Match:
                    _count = bottom;
                    return at;
                case PatternOp.One:
                    holds = TryCharacter(step.Set!, at, out int units);
                    at += units;
                    pc++;
                    break;
                case PatternOp.Run:
                    holds = TryRun(step, pc, ref at);
                    pc++;
                    break;
                case PatternOp.Split:
                    Push(BacktrackKind.Resume, step.Y, at, 0);
                    pc = step.X;
                    holds = true;
                    break;
                case PatternOp.Jump:
                    pc = step.X;
                    holds = true;
                    break;
                case PatternOp.Mark:
                    Push(BacktrackKind.Restore, step.X, _registers[step.X], 0);
                    _registers[step.X] = at;
                    pc++;
                    holds = true;
                    break;
                case PatternOp.Progress:
                    holds = at != _registers[step.X];
                    pc++;
                    break;
                case PatternOp.Ahead:
                    holds = Run(pc + 1, at) >= 0 != step.Negative;
                    pc = step.X;
                    break;
                case PatternOp.Behind:
                    holds = LookBehind(step, pc + 1, at) != step.Negative;
                    pc = step.X;
                    break;
                case PatternOp.Atomic:
                    int end = Run(pc + 1, at);
                    holds = end >= 0;
                    at = end;
                    pc = step.X;
                    break;
                default:
                    holds = HoldsAt(step.Op, at);
                    pc++;
                    break;
            }
            if (!holds && !Back(bottom, ref pc, ref at))
                return -1;
        }
    }

    private readonly bool TryCharacter(CharacterSet set, int at, out int units)
    {
        units = 0;
        if (at >= _text.Length)
            return false;
        char c = _text[at];
        units = 1;
        if (!char.IsSurrogate(c))
            return set.Contains(c);
        Rune.DecodeFromUtf16(_text[at..], out Rune rune, out units);
        return set.Contains(rune.Value);
    }

    private bool TryRun(PatternStep step, int pc, ref int at)
    {
        int taken = 0;
        int most = step.Y < 0 ? int.MaxValue : step.Y;
        int wanted = step.Mode == RepeatMode.Lazy ? step.X : most;
        int shortest = at;
        while (taken < wanted && TryCharacter(step.Set!, at, out int units))
        {
            at += units;
            if (++taken <= step.X)
                shortest = at;
            _budget--;
        }
        if (taken < step.X)
            return false;
        if (step.Mode == RepeatMode.Greedy && at > shortest)
            Push(BacktrackKind.Shorter, pc, at, shortest);
        else if (step.Mode == RepeatMode.Lazy && taken < most)
            Push(BacktrackKind.Longer, pc, at, most - taken);
        return true;
    }

    private bool LookBehind(PatternStep step, int pc, int at)
    {
        int outer = _behindEnd;
        _behindEnd = at;
        int start = at;
        bool found = false;
        for (int length = 0; length <= step.Y && !found; length++)
        {
            if (length >= step.Minimum)
                found = Run(pc, start) == at;
            if (start == 0)
                break;
            start -= start > 1 && char.IsLowSurrogate(_text[start - 1]) && char.IsHighSurrogate(_text[start - 2]) ? 2 : 1;
        }
        _behindEnd = outer;
        return found;
    }

    private readonly bool HoldsAt(PatternOp op, int at) => op switch
    {
        PatternOp.LineStart => at == 0 || (_text[at - 1] == '\n' && at < _text.Length),
        PatternOp.LineEnd => at == _text.Length || _text[at] == '\n',
        PatternOp.TextStart => at == 0,
        PatternOp.TextEnd => at == _text.Length,
        PatternOp.LastLineEnd => at == _text.Length || (at == _text.Length - 1 && _text[at] == '\n'),
        PatternOp.WordBorder => IsWordBorder(at),
        PatternOp.NoWordBorder => !IsWordBorder(at),
        _ => at == _behindEnd,
    };

    private readonly bool IsWordBorder(int at)
    {
        Rune.DecodeLastFromUtf16(_text[..at], out Rune before, out _);
        Rune.DecodeFromUtf16(_text[at..], out Rune after, out _);
        return (at > 0 && Characters.IsWord(before)) != (at < _text.Length && Characters.IsWord(after));
    }

    private void Push(BacktrackKind kind, int pc, int at, int extra)
    {
        if (_count == _stack.Length)
            Array.Resize(ref _stack, 2 * _count);
        _stack[_count++] = new((int)kind, pc, at, extra);
    }

    private bool Back(int bottom, ref int pc, ref int at)
    {
        while (_count > bottom)
        {
            ref Backtrack top = ref _stack[_count - 1];
            switch ((BacktrackKind)top.Kind)
            {
                case BacktrackKind.Resume:
                    (pc, at) = (top.Pc, top.At);
                    _count--;
                    return true;
                case BacktrackKind.Restore:
                    _registers[top.Pc] = top.At;
                    _count--;
                    continue;
                case BacktrackKind.Shorter:
                    at = top.At - (top.At > 1 && char.IsLowSurrogate(_text[top.At - 1]) && char.IsHighSurrogate(_text[top.At - 2]) ? 2 : 1);
                    pc = top.Pc + 1;
                    if (at > top.Extra)
                        top = top with { At = at };
                    else
                        _count--;
                    return true;
                default:
                    if (!TryCharacter(_steps[top.Pc].Set!, top.At, out int units))
                    {
                        _count--;
                        continue;
                    }
                    (pc, at) = (top.Pc + 1, top.At + units);
                    if (top.Extra > 1)
                        top = top with { At = at, Extra = top.Extra - 1 };
                    else
                        _count--;
                    return true;
            }
        }
        return false;
    }

    /// <summary>A way not taken yet.</summary>
    internal readonly record struct Backtrack(int Kind, int Pc, int At, int Extra);
}
