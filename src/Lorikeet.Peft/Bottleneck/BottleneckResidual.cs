namespace Lorikeet.Peft;

/// <summary>What a bottleneck adds back to its own output.</summary>
internal enum BottleneckResidual
{
    /// <summary>The sub-layer's output.</summary>
    Output,
    /// <summary>What the bottleneck was given.</summary>
    Input,
}
