namespace Lorikeet.Kernels;

/// <summary>Work that is compiled once for each activation.</summary>
internal interface IActivationVisitor
{
    /// <summary>Does the work with the activation chosen.</summary>
    void Visit<TActivation>()
        where TActivation : struct, IActivation;
}
