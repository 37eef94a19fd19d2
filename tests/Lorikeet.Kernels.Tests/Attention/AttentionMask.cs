namespace Lorikeet.Kernels.Tests;

internal enum AttentionMask
{
    All,
    Causal,
    Window,
    Documents,
    Arbitrary,
}
