using System.Text;

namespace Lorikeet.Text;

/// <summary>Text being written, and where in it the generation blocks lie.</summary>
internal sealed class OutputBuffer
{
    public StringBuilder Text { get; } = new();

    public List<(int Start, int End)> Spans { get; } = [];
}
