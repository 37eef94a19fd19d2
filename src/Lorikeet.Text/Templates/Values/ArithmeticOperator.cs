namespace Lorikeet.Text;

/// <summary>The operators of arithmetic.</summary>
internal enum ArithmeticOperator
{
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Modulo,
    Power,
}
