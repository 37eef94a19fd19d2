using System.Runtime.InteropServices;

namespace Lorikeet.Kernels.Assembled;

/// <summary>Whether machine code of our own can run here.</summary>
internal static unsafe class AssembledKernels
{
    /// <summary>Why it cannot, in a few words, or null where it can: the processor is asked, and the system tried with the smallest of functions.</summary>
    public static string? WhyNot()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return $"kernels are assembled for x64 only, this is {RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
        if (!ProcessorFeatures.Avx2)
            return "the processor has no AVX2 with fused multiply-add, or .NET was told not to use it";
        try
        {
            // mov rax, rdi (rcx on Windows); ret
            ReadOnlySpan<byte> code = OperatingSystem.IsWindows() ? [0x48, 0x89, 0xC8, 0xC3] : [0x48, 0x89, 0xF8, 0xC3];
            nint same = ((delegate* unmanaged[SuppressGCTransition]<nint, nint>)ExecutableMemory.Publish(code))(42);
            return same == 42 ? null : "assembled code gave a wrong answer";
        }
        catch (PlatformNotSupportedException refused)
        {
            return refused.Message;
        }
    }
}
