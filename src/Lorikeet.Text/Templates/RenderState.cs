using System.Runtime.CompilerServices;
using System.Text;

namespace Lorikeet.Text;

/// <summary>One rendering in progress: its variables, its output, and what it has used of its <see cref="TemplateLimits"/>.</summary>
internal sealed class RenderState
{
    private const int CheckEvery = 4096;

    private readonly long _startedAt = Environment.TickCount64;
    private readonly long _allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
    private readonly Stack<OutputBuffer> _idle = new();
    private readonly HashSet<TemplateNamespace> _printing = new(ReferenceEqualityComparer.Instance);
    private Dictionary<string, CapturedSpans>? _captured;
    private long _used;
    private long _untilCheck = CheckEvery;
    private int _depth;

    public RenderState(TemplateLimits limits, object?[] globals, DateTime? now)
    {
        Limits = limits;
        Globals = globals;
        FrozenNow = now;
        Output = new OutputBuffer();
    }

    public TemplateLimits Limits { get; }

    /// <summary>The request's variables and the built-in functions, by the numbers that the parser gave their names.</summary>
    public object?[] Globals { get; }

    /// <summary>The clock of <c>strftime_now</c>, where the request stops it.</summary>
    public DateTime? FrozenNow { get; }

    /// <summary>The line of the template being evaluated.</summary>
    public int Line { get; set; }

    public Frame Frame { get; set; } = null!;

    /// <summary>The text of the block that filters are about to be applied to.</summary>
    public string Captured { get; set; } = "";

    public OutputBuffer Output { get; private set; }

    /// <summary>True where a generation block's text went through a filter or the like, so that its place is not known.</summary>
    public bool LostSpans => _captured is not null && _captured.Values.Any(c => !c.Printed);

    /// <summary>Pays for work; past a limit it ends the rendering.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Charge(long steps)
    {
        _untilCheck -= steps;
        if (_untilCheck < 0)
            Check();
    }

    /// <summary>Pays for walking over this many characters.</summary>
    public void ChargeText(int length) => Charge(length >> 4);

    public void Write(string text)
    {
        StringBuilder output = Output.Text;
        if (output.Length + text.Length > Limits.MaxTextLength)
            throw TextTooLong();
        output.Append(text);
    }

    /// <summary>Writes a value as <c>{{ value }}</c> does.</summary>
    public void Print(object? value)
    {
        if (value is not string text)
        {
            if (value is PythonContainer)
                PythonText.AppendRepr(Output.Text, value, this);
            else
                Write(PythonText.Str(value, this));
            return;
        }
        if (_captured is not null && _captured.TryGetValue(text, out CapturedSpans? captured))
        {
            captured.Printed = true;
            int start = Output.Text.Length;
            foreach ((int from, int to) in captured.Spans)
                Output.Spans.Add((start + from, start + to));
        }
        Write(text);
    }

    /// <summary>From here on output goes into a buffer of its own.</summary>
    public OutputBuffer BeginCapture()
    {
        OutputBuffer outer = Output;
        Output = _idle.TryPop(out OutputBuffer? buffer) ? buffer : new OutputBuffer();
        return outer;
    }

    /// <summary>Takes what was captured and goes back to the buffer that <see cref="BeginCapture"/> returned.</summary>
    public string EndCapture(OutputBuffer outer)
    {
        OutputBuffer buffer = Output;
        string text = buffer.Text.ToString();
        ChargeText(text.Length);
        if (buffer.Spans.Count > 0 && text.Length > 0)
        {
            _captured ??= new Dictionary<string, CapturedSpans>(ReferenceEqualityComparer.Instance);
            _captured[text] = new CapturedSpans([.. buffer.Spans]);
        }
        buffer.Text.Clear();
        buffer.Spans.Clear();
        _idle.Push(buffer);
        Output = outer;
        return text;
    }

    /// <summary>Enters a macro, caller or recursive loop.</summary>
    public void EnterCall()
    {
        Charge(1);
        if (++_depth > Limits.MaxRecursion)
            throw EvaluationException.Limit($"macros call each other more than {Limits.MaxRecursion} deep");
        EnsureStack();
    }

    public void LeaveCall() => _depth--;

    /// <summary>Pays for one more piece of a text that is being built aside.</summary>
    public void Grow(StringBuilder builder)
    {
        Charge(1);
        if (builder.Length > Limits.MaxTextLength)
            throw TextTooLong();
    }

    /// <summary>Refuses a string before it is built.</summary>
    public void CheckText(long length)
    {
        if (length > Limits.MaxTextLength)
            throw TextTooLong();
        Charge(length >> 4);
    }

    /// <summary>Refuses a list before it is built.</summary>
    public void CheckItems(long count)
    {
        if (count > Limits.MaxItems)
            throw EvaluationException.Limit($"a list grew past {Limits.MaxItems} items");
    }

    /// <summary>False where this namespace is being printed already.</summary>
    public bool BeginPrinting(TemplateNamespace space)
    {
        EnsureStack();
        return _printing.Add(space);
    }

    public void EndPrinting(TemplateNamespace space) => _printing.Remove(space);

    private void Check()
    {
        _used += CheckEvery - _untilCheck;
        _untilCheck = CheckEvery;
        if (_used > Limits.MaxSteps)
            throw EvaluationException.Limit($"the template did not finish within {Limits.MaxSteps} steps: it may loop for ever");
        if (Environment.TickCount64 - _startedAt > Limits.MaxTime.TotalMilliseconds)
            throw EvaluationException.Limit($"the template did not finish within {Limits.MaxTime.TotalSeconds} s");
        if (GC.GetAllocatedBytesForCurrentThread() - _allocatedBefore > Limits.MaxAllocatedBytes)
            throw EvaluationException.Limit($"the template allocated more than {Limits.MaxAllocatedBytes >> 20} MiB");
    }

    /// <summary>Refuses to go deeper where the thread has little stack left.</summary>
    public static void EnsureStack()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw EvaluationException.Limit("the template nests too deep for this thread's stack");
    }

    private EvaluationException TextTooLong() => EvaluationException.Limit($"the text grew past {Limits.MaxTextLength} characters");

    private sealed class CapturedSpans((int Start, int End)[] spans)
    {
        public (int Start, int End)[] Spans { get; } = spans;

        public bool Printed { get; set; }
    }
}
