namespace Lorikeet.Text;

/// <summary><c>a ~ b ~ c</c>: the values as text, one after another.</summary>
internal sealed class ConcatExpression(int line, Expression[] parts) : Expression(line, parts)
{
    public override object? Evaluate(RenderState state)
    {
        string[] texts = new string[parts.Length];
        long length = 0;
        for (int i = 0; i < parts.Length; i++)
        {
            texts[i] = PythonText.Str(parts[i].Evaluate(state), state);
            length += texts[i].Length;
        }
        state.Line = Line;
        state.CheckText(length);
        return string.Concat(texts);
    }
}
