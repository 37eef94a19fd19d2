using Lorikeet.Kernels;

namespace Lorikeet.Peft;

/// <summary>How a bottleneck is wired.</summary>
/// <param name="Activation">Between down and up.</param>
/// <param name="Scaling">Factor of what comes out of it.</param>
/// <param name="Parallel">It reads the residual stream instead of the sub-layer's output.</param>
/// <param name="SumBefore">The residual is added before it.</param>
/// <param name="SumAfter">The residual is added after it.</param>
/// <param name="Residual">What is added back.</param>
/// <param name="Dropout">While training, on its input.</param>
/// <param name="StartsAtIdentity">Up starts at zero and down as LoRA's A (arXiv:2110.04366); otherwise both are small random numbers.</param>
internal sealed record BottleneckSettings(
    Activation Activation, float Scaling, bool Parallel, bool SumBefore, bool SumAfter, BottleneckResidual Residual, float Dropout,
    bool StartsAtIdentity);
